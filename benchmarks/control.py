#!/usr/bin/env python3
"""How much faster agents act and learn here than in Stable-Baselines3 and Gymnasium, in environment steps a second.

  benchmarks/control.py [environments] [ppo] [dqn] [half_cheetah] [preferences] [preferences_preset]
                        [--rounds 3] [--steps N] [--peer PYTHON] [--tiny]

Sides take turns, A B A B, each in a fresh process, both on one thread; ratios are taken within a round. PPO is trained
at the same settings on both sides (examples/control/cart_pole_ppo.toml) and so is DQN (Stable-Baselines3's defaults, a
buffer of 100,000), and half_cheetah, PPO on HalfCheetah-v5 (Stable-Baselines3's defaults; needs `make mujoco`).
preferences is a whole run that learns from 400 comparisons of clips, beside the package `imitation` at its defaults:
same task, steps, labels and PPO. The agents' final returns are printed beside the speeds. Nothing else should run
meanwhile. The peers live in a Python environment under the user's cache, made on first use. Each part's measurements go to
benchmarks/results/control_PART-DATE.json; those of `--tiny`, which only proves that everything works, do not.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import record

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "rlhf.cpp"
STEPS = {"environments": 20_000_000, "ppo": 100_000, "dqn": 50_000, "half_cheetah": 20_480, "preferences": 150_000,
         "preferences_preset": 150_000}
TINY = {"environments": 102_400, "ppo": 2_048, "dqn": 1_000, "half_cheetah": 4_096, "preferences": 10_240,
        "preferences_preset": 10_240}
SETTINGS = {
    "ppo": ["control_ppo", "-c", str(ROOT / "examples/control/cart_pole_ppo.toml")],
    "dqn": ["dqn", "environment=cart_pole"],
    "half_cheetah": ["control_ppo", "environment=half_cheetah", "envs=1", "steps=2048", "epochs=10", "minibatch=64",
                     "learning_rate=3e-4", "schedule.kind=constant", "value_clip=none", "value_coefficient=1",
                     "entropy_coefficient=0", "evaluate=10"],
}
LABELS = 400
# What imitation's loop does at its defaults: 1,200 minibatches of 32 comparisons before training, some 400 after it has begun.
LIKE_FOR_LIKE = ["preferences.selection=random", "preferences.reward.members=1", "preferences.reward.network.hidden=[32, 32]",
                 "preferences.reward.network.activation=relu", "preferences.reward.minibatch=32", "preferences.first_updates=1200",
                 "preferences.rollout_updates=3"]


def peer_python(name):
    python = CACHE / f"peers-{name}" / "bin" / "python"
    if not python.exists():
        print("making the peers' environment", file=sys.stderr)
        packages = ROOT / f"benchmarks/peers/requirements-{name}.txt"
        try:
            subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", packages], check=True)
        except BaseException as problem:  # half an environment would be taken for a whole one
            shutil.rmtree(python.parents[1], ignore_errors=True)
            if not isinstance(problem, subprocess.CalledProcessError):
                raise
            sys.exit(f"benchmarks/control.py: the packages of {packages.relative_to(ROOT)} could not be installed (see "
                     "above); name an interpreter that has them with --peer")
    return python


def peer(what, steps, seed, python):
    learns_from_people = what.startswith("preferences")
    python = python or peer_python("imitation" if learns_from_people else "control")
    script = ["preferences.py", "--labels", LABELS] if learns_from_people else ["control.py", what]
    printed = run([python, ROOT / "benchmarks/peers" / script[0], *script[1:], "--steps", steps, "--seed", seed])
    return json.loads(printed.splitlines()[-1])


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def ours(what, steps, seed, build):
    if what == "environments":
        return json.loads(run([build / "benchmarks/bench_environments", f"--steps={steps // 1024}"]))
    if what.startswith("preferences"):
        return preferences(steps, seed, build, LIKE_FOR_LIKE if what == "preferences" else [])
    with tempfile.TemporaryDirectory() as folder:
        run([
            build / "bin/rlhf", "train", *SETTINGS[what], f"total_steps={steps}", f"seed={seed}", "--output",
            f"{folder}/run"
        ])
        timing = pathlib.Path(folder, "run/timing.jsonl").read_text().splitlines()[-1]
        returns = json.loads(pathlib.Path(folder, "run/results.json").read_text())["mean_return"]
    speed = float(re.search(r'"time/steps_per_second":([\d.e+]+)', timing)[1])
    return {"steps_per_second": speed, "mean_return": returns}


def preferences(steps, seed, build, settings):
    """The whole command: start, clips, answers in their store, the examination at the end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        run([
            build / "bin/rlhf", "recipe", "run", "deep_rl_from_human_preferences", "--preset", "small",
            'arms=["labels"]', "seeds=1", "jobs=1", f"seed={seed + 1}", f"ppo.total_steps={steps}",
            f"preferences.labels={LABELS}", *settings, "--no-check", "--output", f"{folder}/run"
        ])
        seconds = time.monotonic() - began
        results = json.loads(pathlib.Path(folder, "run/results.json").read_text())
    return {"steps_per_second": steps / seconds, "mean_return": results["labels_return"]}


def lacking(what, build):
    """What has to be installed before it can be measured; nothing for most."""
    if what != "half_cheetah":
        return ""
    listed = map(json.loads, run([build / "bin/rlhf", "env", "ls", "--json"]).splitlines())
    return next((row["needs"] for row in listed if row["name"] == what and "needs" in row), "")


def compare(what, options):
    """The rounds of one part, as its results file has them."""
    steps = options.steps or (TINY if options.tiny else STEPS)[what]
    load, rounds, ratios = record.busy(), [], []
    for seed in range(options.rounds):
        own = ours(what, steps, seed, options.build)
        its = peer(what, steps, seed, options.peer)
        rounds.append({"ours": own, "peer": its})
        ratios.append(own["steps_per_second"] / its["steps_per_second"])
        speeds = f"{own['steps_per_second']:,.0f} steps/s, peer {its['steps_per_second']:,.0f}"
        both = "mean_return" in own
        returns = f"; return {own['mean_return']:.1f}, peer {its['mean_return']:.1f}" if both else ""
        print(f"{what} round {seed + 1}: {speeds}{returns}", flush=True)
    spread = f"{min(ratios):.2f} - {max(ratios):.2f} over {len(ratios)} rounds"
    print(f"{what}: {statistics.median(ratios):.2f}x ({spread})", flush=True)
    return {**record.circumstances(f"control_{what}", load), "threads": 1,
            "command": f"benchmarks/control.py {what} --rounds {options.rounds} --steps {steps}", "ratios": ratios,
            "rounds": rounds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="instead of each one's own")
    parser.add_argument("--peer", type=pathlib.Path, help="Python with stable-baselines3")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--tiny", action="store_true", help="one round of a few steps, nothing written")
    options = parser.parse_args()
    if unknown := set(options.what) - set(STEPS):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(STEPS)}")
    if options.tiny:
        options.rounds = 1
    for what in options.what or STEPS:
        if needs := lacking(what, options.build):
            print(f"{what}: skipped: it needs {needs}", flush=True)
            continue
        result = compare(what, options)
        if not options.tiny:
            record.write(result)


main()
