"""Kills a run with SIGKILL at random moments, resumes it, and compares the final weights with an uninterrupted run's.

usage: kill_and_resume.py RLHF [--kills N] [--seed S]

The run is the whole recipe on the tiny model (its own pretraining included), cut to about ten seconds, with a checkpoint
after every update, so that a good share of the kills lands while a checkpoint is being written.
"""

import argparse
import hashlib
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

SETTINGS = [
    "story.stories=1500", "labels.questions=60", "ppo.steps=12", "ppo.batch=32", "ppo.evaluate_every=4",
    "ppo.checkpoint_every=1", "evaluate.samples=4", "labels.rounds=2",
]


def command(rlhf, folder, resume):
    return [rlhf, "--threads", "1", "recipe", "run", "fine_tuning_from_preferences", "--preset", "smoke", "--no-check",
            "--output", str(folder), *SETTINGS, *(["--resume"] if resume else [])]


def run_to_the_end(rlhf, folder, resume):
    done = subprocess.run(command(rlhf, folder, resume), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{folder}: exit code {done.returncode}\n{done.stderr[-3000:]}")


def run_and_kill(rlhf, folder, resume, after):
    """True when the process was still running when it was killed."""
    process = subprocess.Popen(command(rlhf, folder, resume), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def digests(folder):
    """What has to be the same to the bit."""
    checkpoint = folder / "checkpoints" / (folder / "checkpoints" / "latest").read_text().strip() \
        if (folder / "checkpoints" / "latest").is_file() else (folder / "checkpoints" / "latest").resolve()
    files = [checkpoint / "adapter_model.safetensors", folder / "metrics.jsonl", folder / "evaluation.jsonl",
             folder / "samples.jsonl", folder / "results.json"]
    files += sorted((checkpoint / "state").glob("*.safetensors"))
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rlhf")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        began = time.monotonic()
        run_to_the_end(options.rlhf, scratch / "whole", resume=False)
        duration = time.monotonic() - began
        expected = digests(scratch / "whole")
        print(f"uninterrupted: {duration:.1f} s")
        landed = 0
        for kill in range(options.kills):
            folder = scratch / f"killed-{kill}"
            after = chance.uniform(0.05, 0.9 * duration)
            landed += run_and_kill(options.rlhf, folder, False, after)
            run_to_the_end(options.rlhf, folder, resume=folder.exists())
            found = digests(folder)
            different = [name for name in expected if found.get(name) != expected[name]]
            print(f"killed after {after:5.2f} s, resumed: {'equal' if not different else 'DIFFERENT: ' + ', '.join(different)}")
            if different:
                sys.exit(1)
    print(f"{options.kills} passed, 0 failed ({landed} kills landed in a running process)")
    if landed < options.kills * 0.5:
        sys.exit("too few kills landed: the run has become too short for this test")


main()
