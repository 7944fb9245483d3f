#!/usr/bin/env python3
"""Transition tables of Gymnasium's toy worlds, and one step from each of many states.

  python make_toy_worlds.py        (gymnasium[toy-text] 1.4.0) writes toy_worlds.json

A table is one text a state: its actions joined by "|", an action's outcomes by ";", an outcome "next,reward,terminated"
with the chances apart, as most are alike: an index into the list `chances`. Taxi's texts are hashed, 500 states to one
SHA-256 each variant, and every 25th is kept in full.
"""
import hashlib
import json
import pathlib

import gymnasium

WORLDS = {
    "frozen_lake 4x4": ("FrozenLake-v1", {}, "frozen_lake", {}),
    "frozen_lake 4x4 dry": ("FrozenLake-v1", {"is_slippery": False}, "frozen_lake", {"slippery": False}),
    "frozen_lake 8x8": ("FrozenLake8x8-v1", {}, "frozen_lake", {"map": "8x8"}),
    "frozen_lake 8x8 better": ("FrozenLake8x8-v1", {"success_rate": 0.7}, "frozen_lake",
                               {"map": "8x8", "success_rate": 0.7}),
    "cliff_walking": ("CliffWalking-v1", {}, "cliff_walking", {}),
    "cliff_walking slippery": ("CliffWalkingSlippery-v1", {}, "cliff_walking", {"slippery": True}),
    "taxi": ("Taxi-v4", {}, "taxi", {}),
    "taxi rainy": ("Taxi-v4", {"is_rainy": True}, "taxi", {"rainy": True}),
}


def outcome(chances, entry):
    chance, state, reward, terminated = entry
    chance = round(float(chance), 12)
    if chance not in chances:
        chances.append(chance)
    return f"{chances.index(chance)},{int(state)},{int(reward)},{int(terminated)}"


def table(world, chances):
    return [
        "|".join(";".join(outcome(chances, entry) for entry in world.P[state][action])
                 for action in sorted(world.P[state])) for state in sorted(world.P)
    ]


def record(gym_id, options, name, settings):
    env = gymnasium.make(gym_id, **options)
    world, chances = env.unwrapped, []
    texts = table(world, chances)
    out = {
        "environment": name, "settings": settings, "chances": chances, "states": len(texts),
        "max_steps": env.spec.max_episode_steps or 0, "hash": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "table": {str(state): text
                  for state, text in enumerate(texts) if len(texts) < 100 or state % 25 == 7}
    }
    if name == "taxi":
        out["masks"] = ["".join(str(int(each)) for each in world.action_mask(state)) for state in range(len(texts))]
        out["starts"] = [state for state in range(len(texts)) if world.initial_state_distrib[state] > 0]
    return out


records = {name: record(*world) for name, world in WORLDS.items()}
target = pathlib.Path(__file__).with_name("toy_worlds.json")
target.write_text(json.dumps({"gymnasium": gymnasium.__version__, "worlds": records}, separators=(",", ":")) + "\n")
