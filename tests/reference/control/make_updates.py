#!/usr/bin/env python3
"""One training call of Stable-Baselines3's PPO (choices and numbers), DQN, SAC and TD3 on made-up data: weights before and after.

  python make_updates.py     (stable-baselines3 2.9, torch) writes updates.json beside itself

Networks have two hidden layers of 8. Minibatches are whole, so that their order does not matter; SAC's and TD3's noise
is handed in and written down.
"""
import json
import pathlib

import gymnasium
import numpy as np
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, PPO, SAC, TD3
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import ReplayBufferSamples

ROWS, SEEN = 12, 3
torch.manual_seed(3)
torch.set_num_threads(1)
rng = np.random.default_rng(5)


class World(gymnasium.Env):
    def __init__(self, action_space):
        self.observation_space = spaces.Box(-np.inf, np.inf, (SEEN,), np.float32)
        self.action_space = action_space

    def reset(self, *, seed=None, options=None):
        return np.zeros(SEEN, np.float32), {}

    def step(self, action):
        return np.zeros(SEEN, np.float32), 0.0, False, False, {}


def numbers(tensor):
    return [float(each) for each in torch.as_tensor(tensor).detach().double().flatten()]


def layers(prefix, modules):
    out = {}
    for i, module in enumerate(modules):
        out[f"{prefix}{i}.weight"] = numbers(module.weight)
        out[f"{prefix}{i}.bias"] = numbers(module.bias)
    return out


def linear(sequential):
    return [module for module in sequential if isinstance(module, torch.nn.Linear)]


def quiet(model):
    model.set_logger(Logger(None, []))
    return model


def normal(*shape):
    return rng.normal(size=shape).astype(np.float32)


def ppo(action_space, draw):
    """`draw(shape)` makes up actions."""
    envs, steps = 3, 4
    model = quiet(
        PPO("MlpPolicy", stable_baselines3.common.vec_env.DummyVecEnv([lambda: World(action_space)] * envs),
            n_steps=steps, batch_size=envs * steps, n_epochs=3, gamma=0.97, gae_lambda=0.9, learning_rate=3e-3,
            ent_coef=0.02, policy_kwargs={"net_arch": [8, 8]}, device="cpu", seed=1))

    def weights():
        policy = model.policy
        spread = {"log_deviation": numbers(policy.log_std)} if hasattr(policy, "log_std") else {}
        return {**layers("policy.", [*linear(policy.mlp_extractor.policy_net), policy.action_net]), **spread,
                **layers("value.", [*linear(policy.mlp_extractor.value_net), policy.value_net])}

    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    before = weights()
    observations, last = normal(steps, envs, SEEN), normal(envs, SEEN)
    rewards, starts = normal(steps, envs), np.zeros((steps, envs), np.float32)
    starts[0], starts[2, 1] = 1, 1  # the second environment's first episode ended after two steps
    actions = draw((steps, envs))
    buffer = model.rollout_buffer
    buffer.reset()
    old = {"values": [], "logprobs": []}
    for t in range(steps):
        with torch.no_grad():
            values, logprobs, _ = model.policy.evaluate_actions(torch.as_tensor(observations[t]),
                                                                torch.as_tensor(actions[t]))
            logprobs = logprobs + torch.as_tensor(
                0.3 * normal(envs))  # as if an older policy had acted: ratios are not 1
        old["values"].append(numbers(values))
        old["logprobs"].append(numbers(logprobs))
        buffer.add(observations[t], actions[t].reshape(envs, -1), rewards[t], starts[t], values.flatten(), logprobs)
    with torch.no_grad():
        after_values = model.policy.predict_values(torch.as_tensor(last)).flatten()
    buffer.compute_returns_and_advantage(after_values, dones=np.array([False, False, True]))
    advantages, returns = buffer.advantages.copy(), buffer.returns.copy()
    model._current_progress_remaining = 1.0
    model.train()
    return {"before": before, "after": weights(), "observations": numbers(observations), "actions": actions.tolist(),
            "rewards": rewards.tolist(), "after_values": numbers(after_values), "old": old,
            "advantages": advantages.tolist(), "returns": returns.tolist()}


def transitions(actions):
    seen, following = torch.as_tensor(normal(ROWS, SEEN)), torch.as_tensor(normal(ROWS, SEEN))
    dones = torch.as_tensor((rng.random((ROWS, 1)) < 0.25).astype(np.float32))
    rewards = torch.as_tensor(normal(ROWS, 1))
    newer = [None] if len(ReplayBufferSamples._fields) > 5 else []  # with discounts
    return ReplayBufferSamples(seen, actions, following, dones, rewards, *newer)


def as_json(batch):
    return {
        name: numbers(getattr(batch, name))
        for name in ("observations", "actions", "next_observations", "dones", "rewards")
    }


def dqn():
    model = quiet(
        DQN("MlpPolicy", World(spaces.Discrete(3)), gamma=0.97, learning_rate=3e-3, policy_kwargs={"net_arch": [8, 8]},
            buffer_size=100, device="cpu", seed=1))
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    batch = transitions(torch.as_tensor(rng.integers(3, size=(ROWS, 1))))
    model.replay_buffer.sample = lambda *args, **kwargs: batch

    def weights(network):
        return layers("", linear(network.q_net))

    before, target = weights(model.q_net), weights(model.q_net_target)
    model._current_progress_remaining = 1.0
    model.train(gradient_steps=2, batch_size=ROWS)
    return {"before": before, "target": target, "after": weights(model.q_net), "batch": as_json(batch)}


def with_noise(count, numbers_of_action):
    """Every standard normal draw from now on is one of these, in turn."""
    noises = [torch.as_tensor(normal(ROWS, numbers_of_action)) for _ in range(count)]
    left = list(noises)
    torch.distributions.normal._standard_normal = lambda shape, dtype, device: left.pop(0)
    return noises


def sac():
    model = quiet(
        SAC("MlpPolicy", World(spaces.Box(-1, 1, (2,), np.float32)), gamma=0.97, learning_rate=3e-3, buffer_size=100,
            policy_kwargs={"net_arch": [8, 8]}, device="cpu", seed=1))
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    batch = transitions(torch.as_tensor(np.tanh(normal(ROWS, 2))))
    model.replay_buffer.sample = lambda *args, **kwargs: batch

    def weights():
        actor = model.actor
        out = layers("policy.", linear(actor.latent_pi))
        count = len(linear(actor.latent_pi))
        out[f"policy.{count}.weight"] = numbers(torch.cat([actor.mu.weight, actor.log_std.weight]))
        out[f"policy.{count}.bias"] = numbers(torch.cat([actor.mu.bias, actor.log_std.bias]))
        for i in range(2):
            out |= layers(f"critic{i}.", linear(model.critic.q_networks[i]))
            out |= layers(f"target{i}.", linear(model.critic_target.q_networks[i]))
        return {**out, "log_temperature": numbers(model.log_ent_coef)}

    before, noises = weights(), with_noise(4, 2)
    model._current_progress_remaining = 1.0
    model.train(gradient_steps=2, batch_size=ROWS)
    return {
        "before": before, "after": weights(), "batch": as_json(batch), "noises": [numbers(noise) for noise in noises]
    }


def td3():
    model = quiet(
        TD3("MlpPolicy", World(spaces.Box(-1, 1, (2,), np.float32)), gamma=0.97, learning_rate=3e-3, buffer_size=100,
            policy_kwargs={"net_arch": [8, 8]}, device="cpu", seed=1))
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    batch = transitions(torch.as_tensor(np.tanh(normal(ROWS, 2))))
    model.replay_buffer.sample = lambda *args, **kwargs: batch
    noises = [torch.as_tensor(normal(ROWS, 2)) for _ in range(2)]
    left = list(noises)
    original = torch.Tensor.normal_
    torch.Tensor.normal_ = lambda self, mean=0, std=1, **_: self.copy_(mean + std * left.pop(0))

    def weights():
        out = {**layers("policy.", linear(model.actor.mu)), **layers("policy_target.", linear(model.actor_target.mu))}
        for i in range(2):
            out |= layers(f"critic{i}.", linear(model.critic.q_networks[i]))
            out |= layers(f"target{i}.", linear(model.critic_target.q_networks[i]))
        return out

    before = weights()
    model._current_progress_remaining = 1.0
    model.train(gradient_steps=2, batch_size=ROWS)
    torch.Tensor.normal_ = original
    return {
        "before": before, "after": weights(), "batch": as_json(batch), "noises": [numbers(noise) for noise in noises]
    }


choices = ppo(spaces.Discrete(3), lambda shape: rng.integers(3, size=shape))
record = {"stable_baselines3": stable_baselines3.__version__, "ppo": choices, "dqn": dqn(), "sac": sac(), "td3": td3()}
record["gaussian_ppo"] = ppo(spaces.Box(-1, 1, (2,), np.float32), lambda shape: normal(*shape, 2))
pathlib.Path(__file__).with_name("updates.json").write_text(json.dumps(record, indent=0) + "\n")
