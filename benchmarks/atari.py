#!/usr/bin/env python3
"""What the way through another process costs Atari games: steps a second (four frames each) of the environment `atari` beside a
plain C++ loop over the Arcade Learning Environment that reads the same two grey screens and makes nothing of them.

  benchmarks/atari.py [--game pong] [--rounds 5] [--steps 3000] [--envs 1] [--tiny]

Needs `make ale`; without it there is nothing to measure, and that is said. Measurements go to benchmarks/results/, those of
`--tiny`, which only proves that everything works, do not. Sides take turns, A B A B, each in a fresh process with one thread of emulation; ratios are taken within a round.
The worker's side maximises, shrinks and stacks the pictures besides, and hands them over. Nothing else should run meanwhile.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess

import record

ROOT = pathlib.Path(__file__).resolve().parents[1]
ALE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "rlhf.cpp/ale"


def rate(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["steps_per_second"]


def plays(options):
    """What one round of each side is; the words that are run."""
    own = [options.build / "bin/rlhf", "env", "bench", "atari", "--settings", json.dumps({"game": options.game}),
           "--envs", options.envs, "--steps", options.steps // options.envs, "--json"]
    return {"ours": own, "plain_loop": [ALE / "bench_ale_loop", ALE / f"roms/{options.game}.bin", options.steps]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", default="pong")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--envs", type=int, default=1, help="games in the one worker")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--tiny", action="store_true", help="one round of 200 steps, nothing written")
    options = parser.parse_args()
    if options.tiny:
        options.rounds, options.steps = 1, 200
    sides = plays(options)
    if lacking := [str(path) for path in sides["plain_loop"][:2] if not path.exists()]:
        print(f"atari: skipped: there is no {lacking[0]}; `make ale` builds it")
        return
    load, rounds, ratios = record.busy(), [], []
    for number in range(options.rounds):
        row = {name: rate(command) for name, command in sides.items()}
        rounds.append(row)
        ratios.append(row["ours"] / row["plain_loop"])
        print(f"round {number + 1}: worker {row['ours']:,.0f} steps/s, plain loop {row['plain_loop']:,.0f}", flush=True)
    print(f"{options.game}, {options.envs} in a worker: {statistics.median(ratios):.2f}x ({min(ratios):.2f} - {max(ratios):.2f} over {len(ratios)} rounds)")
    command = (f"benchmarks/atari.py --game {options.game} --rounds {options.rounds} --steps {options.steps} "
               f"--envs {options.envs}")
    result = {**record.circumstances(f"atari_{options.game}_{options.envs}", load), "command": command, "ratios": ratios,
              "rounds": rounds}
    if not options.tiny:
        record.write(result)


main()
