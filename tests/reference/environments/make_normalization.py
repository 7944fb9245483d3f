#!/usr/bin/env python3
"""Running normalisation of observations and rewards, by Stable-Baselines3's VecNormalize.

  python make_normalization.py     (stable_baselines3 2.9, gymnasium 1.4, numpy 2.4) writes normalization.json

VecNormalize runs as it is over environments that play back recorded numbers. torch is not needed for it: a stand-in
takes its place in the modules that merely import it.
"""
import importlib.util
import json
import pathlib
import sys
import types
from unittest import mock

import numpy as np
from gymnasium import spaces

package = types.ModuleType("stable_baselines3")  # without its __init__, which imports all algorithms
package.__path__ = [str(pathlib.Path(importlib.util.find_spec("stable_baselines3").origin).parent)]
sys.modules["stable_baselines3"] = package
try:
    import torch  # noqa: F401
except ImportError:
    for name in ("torch", "torch.nn", "torch.nn.functional", "torch.utils", "torch.utils.tensorboard",
                 "torch.distributions"):
        sys.modules[name] = mock.MagicMock()
from stable_baselines3.common.vec_env.vec_normalize import VecNormalize  # noqa: E402
from stable_baselines3.common.vec_env.base_vec_env import VecEnv  # noqa: E402

ENVS, STEPS, WIDTH = 3, 40, 2
GAMMA, CLIP = 0.9, 2.0


class Played(VecEnv):
    """Hands out what was drawn beforehand."""

    def __init__(self, observations, rewards, dones, finals):
        self.render_mode = None
        super().__init__(ENVS, spaces.Box(-np.inf, np.inf, (WIDTH,), np.float64), spaces.Discrete(2))
        self.observations, self.given, self.dones, self.finals, self.now = observations, rewards, dones, finals, 0

    def reset(self):
        return self.observations[0]

    def step_async(self, actions):
        pass

    def step_wait(self):
        t, self.now = self.now, self.now + 1
        infos = [{"terminal_observation": self.finals[t, i]} if self.dones[t, i] else {} for i in range(ENVS)]
        return self.observations[t + 1], self.given[t], self.dones[t], infos

    def close(self): ...
    def get_attr(self, name, indices=None): return [None] * ENVS
    def set_attr(self, name, value, indices=None): ...
    def env_method(self, name, *args, indices=None, **kwargs): return [None] * ENVS
    def env_is_wrapped(self, wrapper, indices=None): return [False] * ENVS


rng = np.random.default_rng(5)
observations = rng.normal([3.0, -20.0], [0.5, 9.0], (STEPS + 1, ENVS, WIDTH)).astype(np.float32).astype(np.float64)
observations[20, 0, 1] = 400.0  # clipped
rewards = rng.normal(1.0, 2.0, (STEPS, ENVS))
dones = rng.random((STEPS, ENVS)) < 0.15
finals = rng.normal([3.0, -20.0], [0.5, 9.0], (STEPS, ENVS, WIDTH)).astype(np.float32).astype(np.float64)
world = VecNormalize(Played(observations, rewards, dones, finals), clip_obs=CLIP, clip_reward=CLIP, gamma=GAMMA)
shown, given, ends = [world.reset()], [], []
for _ in range(STEPS):
    seen, reward, done, infos = world.step(np.zeros(ENVS, dtype=int))
    shown.append(seen)
    given.append(reward)
    ends.append([infos[i]["terminal_observation"].tolist() if done[i] else None for i in range(ENVS)])

pathlib.Path(__file__).with_name("normalization.json").write_text(
    json.dumps({
        "envs": ENVS, "gamma": GAMMA, "clip": CLIP, "observations": observations.tolist(), "rewards": rewards.tolist(),
        "dones": dones.tolist(), "finals": finals.tolist(), "normalized": {
            "observations": np.round(shown, 9).tolist(), "rewards": np.round(given, 12).tolist(), "finals": ends
        }, "mean": world.obs_rms.mean.tolist(), "variance": world.obs_rms.var.tolist(), "count": world.obs_rms.count,
        "returns_variance": float(world.ret_rms.var)
    }) + "\n")
