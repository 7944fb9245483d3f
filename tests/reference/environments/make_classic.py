#!/usr/bin/env python3
"""One step from each of 1,000 states, and free runs of 50 steps, of Gymnasium's classic control.

The pole of a free run is kept up, with a push at random now and then: it would fall in twenty steps otherwise.

  python make_classic.py        (gymnasium 1.4.0, numpy 2.4) writes classic.json beside itself

States and rewards are float64, actions and observations float32, little-endian in base64. Actions of continuous
environments are float32-representable numbers that Gymnasium is handed as float64: otherwise NumPy rounds intermediate
results to float32. MountainCarContinuous keeps a float32 state, so it is handed float32 actions and calculates in
float32, as it does wherever it is used.
"""
import base64
import json
import pathlib

import gymnasium
import numpy as np

STEPS, RUNS, LENGTH = 1000, 8, 50


def packed(values, dtype="<f8"):
    return base64.b64encode(np.asarray(values, dtype=dtype).tobytes()).decode()


def acrobot_state(rng):
    return np.array(
        [*rng.uniform(-np.pi, np.pi, 2),
         rng.uniform(-4 * np.pi, 4 * np.pi),
         rng.uniform(-9 * np.pi, 9 * np.pi)])


WORLDS = {
    "cart_pole": ("CartPole-v1", 2, lambda rng: rng.uniform([-2.4, -3, -0.21, -3], [2.4, 3, 0.21, 3])),
    "mountain_car": ("MountainCar-v0", 3, lambda rng: rng.uniform([-1.2, -0.07], [0.6, 0.07])),
    "mountain_car_continuous": ("MountainCarContinuous-v0", None, lambda rng: rng.uniform([-1.2, -0.07], [0.6, 0.07])),
    "pendulum": ("Pendulum-v1", None, lambda rng: rng.uniform([-9, -8], [9, 8])),
    "acrobot": ("Acrobot-v1", 3, acrobot_state),
}


def action_of(rng, choices, widest):
    if choices:
        return int(rng.integers(choices))
    return np.array([np.float64(np.float32(rng.uniform(-widest, widest)))])


def free_action(name, rng, choices, widest, state):
    if name == "cart_pole" and rng.random() < 0.9:
        return int(state @ [0.1, 0.3, 4.0, 1.0] > 0)
    return action_of(rng, choices, widest)


def kept(name, state):
    """MountainCarContinuous has a float32 state from its first step on; here from the start."""
    return state.astype(np.float32) if name == "mountain_car_continuous" else state


def step(env, action):
    world = env.unwrapped
    if hasattr(world, "steps_beyond_terminated"):
        world.steps_beyond_terminated = None
    if not isinstance(action, int) and np.asarray(world.state).dtype == np.float32:
        action = action.astype(np.float32)
    observation, reward, terminated, _, _ = world.step(action)
    return np.array(world.state, dtype=np.float64), float(reward), bool(terminated), observation


def record(name, choices, draw):
    env = gymnasium.make(WORLDS[name][0])
    rng = np.random.default_rng(7)
    env.reset(seed=1)
    widest = 3.0 if name == "pendulum" else 1.5
    out = {"before": [], "after": [], "actions": [], "rewards": [], "terminated": [], "observations": []}
    for _ in range(STEPS):
        state, action = kept(name, draw(rng)), action_of(rng, choices, widest)
        env.unwrapped.state = state.copy()
        after, reward, terminated, observation = step(env, action)
        out["before"].append(state)
        out["after"].append(after)
        out["actions"].append(float(np.ravel(action)[0]))
        out["rewards"].append(reward)
        out["terminated"].append(terminated)
        out["observations"].append(observation.astype(np.float64))
    runs = []
    for _ in range(RUNS):
        env.reset(seed=int(rng.integers(1 << 30)))
        start, states, actions = np.array(env.unwrapped.state, dtype=np.float64), [], []
        start = kept(name, start)
        env.unwrapped.state = start.copy()
        for _ in range(LENGTH):
            action = free_action(name, rng, choices, widest, np.array(env.unwrapped.state))
            states.append(step(env, action)[0])
            actions.append(float(np.ravel(action)[0]))
        runs.append({"start": packed(start), "states": packed(states), "actions": packed(actions, "<f4")})
    return {"width": len(out["before"][0]),
            **{key: packed(out[key]) for key in ("before", "after", "rewards")},
            "actions": packed(out["actions"], "<f4"), "observations": packed(out["observations"], "<f4"),
            "terminated": "".join("1" if each else "0" for each in out["terminated"]), "runs": runs}


worlds = {name: record(name, choices, draw) for name, (_, choices, draw) in WORLDS.items()}
target = pathlib.Path(__file__).with_name("classic.json")
target.write_text(json.dumps({"gymnasium": gymnasium.__version__, "worlds": worlds}, indent=0) + "\n")
