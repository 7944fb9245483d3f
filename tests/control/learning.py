#!/usr/bin/env python3
"""Do agents learn their tasks? Settings files of examples/control are trained with a few seeds each.

usage: learning.py RLHF [FILE ...] [--seeds 3] [--jobs N]

What runs is the command in the file's first line. Prints a table, with the bootstrap interval of the mean over the seeds
(95 %; of three seeds it is their range), and fails where a mean is below what is wanted. Without names, all files that
have a bar here and take minutes; any other can be named (half_cheetah_ppo: half an hour). A file whose first line
records what is learnt from is done in that order.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples/control"
# Returns of the agent's best actions: the least that the mean over seeds has to be, and episodes that are played.
BARS = {
    "cart_pole_ppo": (475, 100), "cart_pole_dqn": (475, 100), "cart_pole_a2c": (475, 100), "acrobot_ppo": (-100, 100),
    "mountain_car_dqn": (-120, 100), "pendulum_ppo": (-200, 100), "pendulum_sac": (-200, 100),
    "pendulum_td3": (-200, 100), "cart_pole_memory": (475, 100), "frozen_lake_dqn": (0.70, 1000),
    "taxi_dqn": (7, 1000), "sentence_ppo": (3.9, 100),
}
NONE = (float("-inf"), 20)  # takes long, or is compared with what others published


def commands(file):
    """The words after `rlhf` of the first lines, up to the training, with the file where it is."""
    for line in file.read_text().splitlines():
        words = line.removeprefix("# rlhf ").split("   ")[0].split()
        yield [str(file) if word == f"examples/control/{file.name}" else word for word in words]
        if words[0] == "train":
            return


def train(rlhf, name, seed):
    file = EXAMPLES / f"{name}.toml"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for command in commands(file):
            command = [rlhf, *command]
            if command[1] == "train":
                command += [f"seed={seed}", f"evaluate={BARS.get(name, NONE)[1]}", "--output", "run"]
            done = subprocess.run(command, capture_output=True, text=True, cwd=scratch,
                                  env={**os.environ, "OMP_NUM_THREADS": "1"})
            assert done.returncode == 0, done.stderr
        mean = json.loads(pathlib.Path(scratch, "run/results.json").read_text())["mean_return"]
    return mean, time.monotonic() - began


def interval(returns, draws=10000):
    """The middle 95 % of the means of as many seeds drawn with replacement."""
    chance = random.Random(0)
    means = sorted(sum(chance.choices(returns, k=len(returns))) / len(returns) for _ in range(draws))
    return means[round(0.025 * draws)], means[round(0.975 * draws) - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rlhf")
    parser.add_argument("files", nargs="*", metavar="FILE", help="without .toml")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if unknown := [name for name in options.files if not (EXAMPLES / f"{name}.toml").exists()]:
        parser.error(f"not in {EXAMPLES}: {', '.join(unknown)}")
    names, missed = options.files or list(BARS), []
    rlhf = str(pathlib.Path(options.rlhf).resolve())  # runs have folders of their own
    print("| settings | mean return | 95 % interval | each seed | wanted | seconds a run |\n|---|---|---|---|---|---|",
          flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {
            name: [pool.submit(train, rlhf, name, seed) for seed in range(1, options.seeds + 1)]
            for name in names
        }
        for name, futures in runs.items():
            returns, seconds = zip(*(future.result() for future in futures))
            mean, bar = sum(returns) / len(returns), BARS.get(name, NONE)[0]
            digits = 2 if 0 < bar < 1 else 1
            low, high = (f"{one:.{digits}f}" for one in interval(returns))
            each = ", ".join(f"{one:.{digits}f}" for one in sorted(returns))
            wanted = "" if bar == NONE[0] else bar
            took = sum(seconds) / len(seconds)
            print(f"| {name} | {mean:.{digits}f} | {low} to {high} | {each} | {wanted} | {took:.0f} |", flush=True)
            if mean < bar:
                missed.append(name)
    print(f"{len(names) - len(missed)} passed, {len(missed)} failed")
    sys.exit(1 if missed else 0)


main()
