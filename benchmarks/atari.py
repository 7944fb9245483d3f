#!/usr/bin/env python3
"""What the way through another process costs Atari games: steps a second (four frames each) of the environment `atari` beside a
plain C++ loop over the Arcade Learning Environment that reads the same two grey screens and makes nothing of them.

  benchmarks/atari.py [--game pong] [--rounds 5] [--steps 3000] [--envs 1]

Needs `make ale`. Sides take turns, A B A B, each in a fresh process with one thread of emulation; ratios are taken within a round.
The worker's side maximises, shrinks and stacks the pictures besides, and hands them over. Nothing else should run meanwhile.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
ALE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "rlhf.cpp/ale"


def rate(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["steps_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", default="pong")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--envs", type=int, default=1, help="games in the one worker")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    options = parser.parse_args()
    ratios = []
    for number in range(options.rounds):
        own = rate([options.build / "bin/rlhf", "env", "bench", "atari", "--settings", json.dumps({"game": options.game}),
                    "--envs", options.envs, "--steps", options.steps // options.envs, "--json"])
        plain = rate([ALE / "bench_ale_loop", ALE / f"roms/{options.game}.bin", options.steps])
        ratios.append(own / plain)
        print(f"round {number + 1}: worker {own:,.0f} steps/s, plain loop {plain:,.0f}", flush=True)
    print(f"{options.game}, {options.envs} in a worker: {statistics.median(ratios):.2f}x ({min(ratios):.2f} - {max(ratios):.2f} over {len(ratios)} rounds)")


main()
