"""An agent that learns from comparisons of clips, as the package `imitation` does it: what benchmarks/control.py measures
beside us. One JSON line on standard output.

usage: preferences.py --steps N --labels N [--seed N]

The task is ours (a cart pole whose episodes all have 200 steps; rlhf/environments/cart_pole_fixed.h), PPO has the settings of the
recipe's preset `small`, clips have 25 steps. Everything else is at imitation's defaults: one reward network, fragments drawn at
random, a tenth of the comparisons at the start and the others at a hyperbolic rate.
"""
import argparse
import json
import math
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import gymnasium
import numpy as np
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from imitation.algorithms import preference_comparisons as comparisons
from imitation.rewards.reward_nets import BasicRewardNet
from imitation.util.networks import RunningNorm
from imitation.util.util import make_vec_env
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy


class CartPoleFixed(CartPoleEnv):
    """The pole spins on when it has fallen; a step earns 1 while it stands and the cart is on its track."""

    def __init__(self):
        super().__init__()
        high = np.array([np.inf, np.inf, 1, 1, np.inf], dtype=np.float32)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)

    def seen(self):
        x, velocity, angle, turning = self.state
        return np.array([x, velocity, math.cos(angle), math.sin(angle), turning], dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        return self.seen(), {}

    def step(self, action):
        super().step(action)
        self.steps_beyond_terminated = None
        x, _, angle, _ = self.state
        stands = abs(x) <= self.x_threshold and abs(angle) <= self.theta_threshold_radians
        return self.seen(), float(stands), False, False, {}


def train(options):
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    gymnasium.register("CartPoleFixed-v0", entry_point=CartPoleFixed, max_episode_steps=200)
    venv = make_vec_env("CartPoleFixed-v0", rng=rng, n_envs=8)
    reward = BasicRewardNet(venv.observation_space, venv.action_space, normalize_input_layer=RunningNorm)
    agent = PPO("MlpPolicy", venv, n_steps=128, batch_size=256, n_epochs=4, gamma=0.99, gae_lambda=0.95, ent_coef=0.01, vf_coef=0.25,
                learning_rate=lambda left: 1e-3 * left, device="cpu", seed=options.seed)
    loop = comparisons.PreferenceComparisons(
        comparisons.AgentTrainer(agent, reward, venv, rng), reward, num_iterations=options.iterations,
        fragmenter=comparisons.RandomFragmenter(rng=rng, warning_threshold=0),
        preference_gatherer=comparisons.SyntheticGatherer(rng=rng),
        reward_trainer=comparisons.BasicRewardTrainer(comparisons.PreferenceModel(reward), comparisons.CrossEntropyRewardLoss(), rng=rng,
                                                      epochs=options.epochs),
        fragment_length=25, allow_variable_horizon=False)
    began = time.perf_counter()
    loop.train(total_timesteps=options.steps, total_comparisons=options.labels)
    seconds = time.perf_counter() - began
    mean, _ = evaluate_policy(agent, make_vec_env("CartPoleFixed-v0", rng=rng, n_envs=8), n_eval_episodes=50)
    return {"steps_per_second": options.steps / seconds, "mean_return": float(mean)}


parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--labels", type=int, required=True)
parser.add_argument("--iterations", type=int, default=15, help="rounds of comparisons, fit and PPO")
parser.add_argument("--epochs", type=int, default=3, help="of each fit over all comparisons")
parser.add_argument("--seed", type=int, default=0)
print(json.dumps(train(parser.parse_args())))
