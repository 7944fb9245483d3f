#!/usr/bin/env python3
"""Two training calls of Stable-Baselines3's A2C on made-up rollouts: weights before and after.

  python make_a2c.py     (stable-baselines3 2.9, torch) writes a2c.json beside itself

Networks have two hidden layers of 8; the optimiser is its RMSpropTFLike.
"""
import json
import pathlib

import gymnasium
import numpy as np
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3 import A2C
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from stable_baselines3.common.vec_env import DummyVecEnv

ENVS, STEPS, SEEN = 3, 5, 3
torch.manual_seed(4)
torch.set_num_threads(1)
rng = np.random.default_rng(6)


class World(gymnasium.Env):
    observation_space = spaces.Box(-np.inf, np.inf, (SEEN,), np.float32)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        return np.zeros(SEEN, np.float32), {}

    def step(self, action):
        return np.zeros(SEEN, np.float32), 0.0, False, False, {}


def numbers(tensor):
    return [float(each) for each in torch.as_tensor(tensor).detach().double().flatten()]


def layers(prefix, modules):
    out = {}
    for i, module in enumerate(module for module in modules if isinstance(module, torch.nn.Linear)):
        out |= {f"{prefix}{i}.weight": numbers(module.weight), f"{prefix}{i}.bias": numbers(module.bias)}
    return out


def normal(*shape):
    return rng.normal(size=shape).astype(np.float32)


model = A2C("MlpPolicy", DummyVecEnv([World] * ENVS), n_steps=STEPS, gamma=0.97, gae_lambda=1.0, learning_rate=7e-3,
            ent_coef=0.01, vf_coef=0.5, use_rms_prop=False, device="cpu", seed=1,
            policy_kwargs={"net_arch": [8, 8], "optimizer_class": RMSpropTFLike,
                           "optimizer_kwargs": {"alpha": 0.99, "eps": 1e-5, "weight_decay": 0}})
model.set_logger(Logger(None, []))


def weights():
    policy = model.policy
    return {**layers("policy.", [*policy.mlp_extractor.policy_net, policy.action_net]),
            **layers("value.", [*policy.mlp_extractor.value_net, policy.value_net])}


with torch.no_grad():
    for parameter in model.policy.parameters():
        parameter.add_(0.3 * torch.randn_like(parameter))
record = {"stable_baselines3": stable_baselines3.__version__, "before": weights(), "rollouts": []}
for _ in range(2):
    observations, last, rewards = normal(STEPS, ENVS, SEEN), normal(ENVS, SEEN), normal(STEPS, ENVS)
    actions = rng.integers(3, size=(STEPS, ENVS))
    starts = np.zeros((STEPS, ENVS), np.float32)
    starts[2, 1] = 1  # the second environment's first episode ended after two steps
    buffer, values = model.rollout_buffer, []
    buffer.reset()
    for t in range(STEPS):
        with torch.no_grad():
            value, logprobs, _ = model.policy.evaluate_actions(torch.as_tensor(observations[t]),
                                                               torch.as_tensor(actions[t]))
        values.append(numbers(value))
        buffer.add(observations[t], actions[t].reshape(-1, 1), rewards[t], starts[t], value.flatten(), logprobs)
    with torch.no_grad():
        after = model.policy.predict_values(torch.as_tensor(last)).flatten()
    buffer.compute_returns_and_advantage(after, dones=np.array([False, False, True]))
    model._current_progress_remaining = 1.0
    model.train()
    record["rollouts"].append({
        "observations": numbers(observations), "actions": actions.tolist(), "rewards": rewards.tolist(),
        "values": values, "after_values": numbers(after), "after": weights()
    })
pathlib.Path(__file__).with_name("a2c.json").write_text(json.dumps(record, indent=0) + "\n")
