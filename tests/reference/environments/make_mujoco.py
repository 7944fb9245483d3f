#!/usr/bin/env python3
"""100 steps of each of Gymnasium's MuJoCo robots, version 5, from states that were injected.

  python make_mujoco.py        (gymnasium 1.4.0, mujoco 4.0.0, numpy 2.4) writes mujoco.json beside itself

Two runs a robot: one of small actions from near the start, one of actions beyond the bounds from farther away. Each
step has its reward, whether the task ended, and its observation's sum and weighted sum; every twentieth has the whole
observation. Episodes go on after their end, as the classes do without a wrapper. Numbers are float64 or float32,
little-endian in base64; actions are float32 numbers that Gymnasium is handed as float64.
"""
import base64
import json
import pathlib

import gymnasium
import mujoco
import numpy as np

ROBOTS = {
    "hopper": "Hopper", "walker2d": "Walker2d", "half_cheetah": "HalfCheetah", "ant": "Ant", "humanoid": "Humanoid",
    "swimmer": "Swimmer", "reacher": "Reacher", "inverted_pendulum": "InvertedPendulum",
    "inverted_double_pendulum": "InvertedDoublePendulum"
}
STEPS, EVERY = 100, 20


def packed(values, dtype="<f8"):
    return base64.b64encode(np.asarray(values, dtype=dtype).tobytes()).decode()


def run(world, rng, spread, reach):
    model, data = world.model, world.data
    qpos = world.init_qpos + rng.uniform(-spread, spread, model.nq)
    qvel = rng.uniform(-spread, spread, model.nv)
    mujoco.mj_resetData(model, data)
    world.set_state(qpos, qvel)
    begin = world._get_obs()
    high = np.float64(world.action_space.high)
    out = {"actions": [], "rewards": [], "terminated": "", "sums": [], "observations": []}
    for t in range(STEPS):
        action = np.float64(np.float32(rng.uniform(-reach, reach, model.nu) * high))
        seen, reward, terminated, _, _ = world.step(action)
        out["actions"].append(action)
        out["rewards"].append(float(reward))
        out["terminated"] += "1" if terminated else "0"
        out["sums"].append([seen.sum(), (seen * np.cos(np.arange(seen.size))).sum()])
        if (t + 1) % EVERY == 0:
            out["observations"].append(seen)
    return {
        "state": packed(np.concatenate([qpos, qvel])), "begin": packed(begin), "actions": packed(out["actions"], "<f4"),
        "rewards": packed(out["rewards"]), "terminated": out["terminated"], "sums": packed(out["sums"]),
        "observations": packed(out["observations"])
    }


def record(name):
    world = gymnasium.make(f"{ROBOTS[name]}-v5").unwrapped
    world.reset(seed=0)
    rng = np.random.default_rng(11)
    return {"dt": world.dt, "observed": int(world.observation_space.shape[0]),
            "high": [float(each) for each in world.action_space.high],
            "runs": [run(world, rng, 0.02, 0.3), run(world, rng, 0.1, 1.3)]}


worlds = {name: record(name) for name in ROBOTS}
target = pathlib.Path(__file__).with_name("mujoco.json")
target.write_text(
    json.dumps({"gymnasium": gymnasium.__version__, "mujoco": mujoco.__version__, "every": EVERY, "robots": worlds},
               indent=0) + "\n")
