"""Makes minari/: a small data set written by Minari itself, and minari.json: what it holds.

    python tests/reference/environments/make_minari.py            (needs "minari[hdf5]", gymnasium)
    python tests/reference/environments/make_minari.py FOLDER     prints a data set of ours as JSON, read with Minari
"""
import json
import pathlib
import shutil
import sys

import gymnasium
import numpy as np
from minari.data_collector import EpisodeBuffer
from minari.dataset.minari_dataset import MinariDataset
from minari.dataset.minari_storage import MinariStorage

HERE = pathlib.Path(__file__).parent


def record(episodes):
    return [{"seed": None if each.get("seed") is None else int(each["seed"]),
             "observations": np.asarray(each["observations"]).tolist(), "actions": np.asarray(each["actions"]).tolist(),
             "rewards": np.asarray(each["rewards"]).tolist(), "terminated": bool(each["terminations"][-1]),
             "truncated": bool(each["truncations"][-1])} for each in episodes]


def read(folder):
    storage = MinariStorage.read(folder)
    rows = list(storage.get_episodes(range(storage.total_episodes)))
    for row, metadata in zip(rows, storage.get_episode_metadata(range(storage.total_episodes))):
        row["seed"] = metadata.get("seed")
    assert MinariDataset(pathlib.Path(folder)).total_steps == sum(len(row["rewards"]) for row in rows)
    return {"spaces": [str(storage.observation_space), str(storage.action_space)], "episodes": record(rows)}


def make(folder):
    shutil.rmtree(folder, ignore_errors=True)
    env = gymnasium.make("Pendulum-v1", max_episode_steps=4)
    storage = MinariStorage.new(folder, env.observation_space, env.action_space, jpeg_encoding=False)
    buffers = []
    for seed in (7, 8):
        seen, _ = env.reset(seed=seed)
        env.action_space.seed(seed)
        episode = EpisodeBuffer(seed=seed, observations=[seen], actions=[])
        done = False
        while not done:
            action = env.action_space.sample()
            seen, reward, terminated, truncated, _ = env.step(action)
            episode.observations.append(seen)
            episode.actions.append(action)
            episode.rewards.append(float(reward))
            episode.terminations.append(terminated)
            episode.truncations.append(truncated)
            done = terminated or truncated
        buffers.append(episode)
    storage.update_episodes(buffers)
    storage.update_metadata({"dataset_id": "pendulum/random-v0", "minari_version": "0.5.4"})


if len(sys.argv) > 1:
    print(json.dumps(read(sys.argv[1])))
else:
    make(HERE / "minari")
    (HERE / "minari.json").write_text(json.dumps(read(HERE / "minari")) + "\n")
