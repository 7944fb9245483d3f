"""What the peers of benchmarks/control.py do: one JSON line on standard output.

usage: control.py environments|ppo|dqn|half_cheetah --steps N [--seed N]

ppo is Stable-Baselines3 at the settings of examples/control/cart_pole_ppo.toml; dqn, and PPO on half_cheetah, are at
its own defaults; environments is Gymnasium's own vector CartPole, 1,024 of them.
"""
import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")


TASKS = {"half_cheetah": "HalfCheetah-v5"}


def environments(options):
    import gymnasium
    import numpy as np
    env = gymnasium.make_vec("CartPole-v1", num_envs=1024, vectorization_mode="vector_entry_point")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(2, size=(64, 1024))
    for t in range(20):
        env.step(actions[t % 64])
    began, rounds = time.perf_counter(), options.steps // 1024
    for t in range(rounds):
        env.step(actions[t % 64])
    return {"steps_per_second": rounds * 1024 / (time.perf_counter() - began)}


def learner(options):
    import torch
    torch.set_num_threads(1)
    from stable_baselines3 import DQN, PPO
    from stable_baselines3.common.env_util import make_vec_env
    if options.what == "dqn":
        return DQN("MlpPolicy", make_vec_env("CartPole-v1", n_envs=1, seed=options.seed), buffer_size=100000,
                   device="cpu", seed=options.seed)
    if options.what == "half_cheetah":
        return PPO("MlpPolicy", make_vec_env("HalfCheetah-v5", n_envs=1, seed=options.seed), device="cpu",
                   seed=options.seed)
    return PPO("MlpPolicy", make_vec_env("CartPole-v1", n_envs=8, seed=options.seed), n_steps=32, batch_size=256,
               gae_lambda=0.8, gamma=0.98, n_epochs=20, ent_coef=0.0, learning_rate=lambda left: 1e-3 * left,
               clip_range=lambda left: 0.2 * left, device="cpu", seed=options.seed)


def train(options):
    import gymnasium
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor
    model = learner(options)
    began = time.perf_counter()
    model.learn(options.steps)
    seconds = time.perf_counter() - began
    mean, _ = evaluate_policy(model, Monitor(gymnasium.make(TASKS.get(options.what, "CartPole-v1"))),
                              n_eval_episodes=10 if options.what in TASKS else 50)
    return {"steps_per_second": options.steps / seconds, "mean_return": float(mean)}


parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["environments", "ppo", "dqn", "half_cheetah"])
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--seed", type=int, default=0)
given = parser.parse_args()
print(json.dumps({"what": given.what, **(environments(given) if given.what == "environments" else train(given))}))
