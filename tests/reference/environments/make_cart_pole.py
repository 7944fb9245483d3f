"""Trajectories of Gymnasium's CartPole-v1 for tests/environments, from injected states with fixed actions.

    python make_cart_pole.py        (gymnasium 1.4.0, numpy)
"""
import json
import pathlib

import gymnasium
import numpy

random = numpy.random.default_rng(3)


def episode(start, actions, sutton_barto=False):
    environment = gymnasium.make("CartPole-v1", sutton_barto_reward=sutton_barto)
    environment.reset(seed=0)
    environment.unwrapped.state = numpy.array(start, dtype=numpy.float64)
    states, rewards, observations, ended = [], [], [], None
    for action in actions:
        observation, reward, terminated, truncated, _ = environment.step(int(action))
        states.append([float(x) for x in environment.unwrapped.state])
        observations.append([float(x) for x in observation])
        rewards.append(float(reward))
        if terminated or truncated:
            ended = {"terminated": bool(terminated), "truncated": bool(truncated)}
            break
    return {"start": list(start), "sutton_barto": sutton_barto, "actions": [int(a) for a in actions[: len(states)]],
            "states": states, "observations": observations, "rewards": rewards, "ended": ended}


def balanced(start, steps):
    """Actions of a linear controller, so that the episode lasts."""
    environment = gymnasium.make("CartPole-v1").unwrapped
    environment.reset(seed=0)
    environment.state = numpy.array(start, dtype=numpy.float64)
    actions = []
    for _ in range(steps):
        actions.append(int(numpy.dot(environment.state, [0.1, 0.3, 4.0, 1.0]) > 0))
        environment.step(actions[-1])
    return actions


episodes = [episode(start := random.uniform(-0.05, 0.05, 4).tolist(), balanced(start, 500))]  # reaches the time limit
episodes += [episode(random.uniform(-0.05, 0.05, 4).tolist(), random.integers(0, 2, 200)) for _ in range(3)]
episodes += [episode([2.3, 1.5, 0.02, -0.4], [1] * 20), episode([-2.3, -1.5, 0.02, 0.4], [0] * 20, sutton_barto=True)]
path = pathlib.Path(__file__).resolve().parent / "cart_pole.json"
path.write_text(json.dumps({"episodes": episodes}, separators=(",", ":")) + "\n")
print([(len(e["actions"]), e["ended"]) for e in episodes])
