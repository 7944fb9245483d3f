"""Learning from preferences keeps its promises, and a run that is killed goes on to the same bits.

usage: control.py RLHF

1. The smoke preset of deep_rl_from_human_preferences ends with exit code 0.
2. Killed while it learns from labels, it ends with the same results, and no label is lost or given twice.
3. PPO and DQN, killed after a checkpoint, end with the weights and metrics of runs that were not.
4. The smoke preset of coach ends with exit code 0.
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

RECIPE = ["recipe", "run", "deep_rl_from_human_preferences", "--preset", "smoke"]
ALGORITHMS = {
    "control_ppo": ["total_steps=40000", "checkpoint_every=5", "evaluate=10"],
    "dqn": ["total_steps=12000", "checkpoint_every=1500", "start=500", "report_every=500", "evaluate=10"],
}


def finish(rlhf, *words):
    done = subprocess.run([rlhf, *words], capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: exit code {done.returncode}\n{done.stderr[-2000:]}"


def kill_once(rlhf, seen, *words):
    """Starts it and kills it as soon as `seen` says that there is something to lose."""
    running = subprocess.Popen([rlhf, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not seen() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.poll() is None, f"{words}: it had ended before it could be killed"
    running.send_signal(signal.SIGKILL)
    running.wait()


def results(folder):
    """Everything but the seconds it took."""
    parts = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("**/results.json"))}
    for part in parts.values():
        part.pop("seconds", None)
    return parts


def recipe(rlhf, scratch):
    finish(rlhf, *RECIPE, "--output", scratch / "whole")
    journal = scratch / "cut/arms/labels-1/labels.jsonl"
    kill_once(rlhf, lambda: journal.exists() and journal.read_text().count("\n") > 30, *RECIPE, "--output", scratch / "cut")
    finish(rlhf, *RECIPE, "--output", scratch / "cut", "--resume")
    whole, cut = results(scratch / "whole"), results(scratch / "cut")
    assert whole.pop("whole") == cut.pop("cut") and whole == cut, f"{whole}\n{cut}"
    print("recipe:", {name: round(part["return"], 1) for name, part in whole.items()})


def algorithm(rlhf, scratch, name, settings):
    words = ["train", name, "environment=cart_pole", *settings]
    whole, cut = scratch / f"{name}-whole", scratch / f"{name}-cut"
    finish(rlhf, *words, "--output", whole)
    kill_once(rlhf, lambda: (cut / "checkpoints/latest").exists(), *words, "--output", cut)
    finish(rlhf, *words, "--output", cut, "--resume")
    for file in ("metrics.jsonl", "results.json", "checkpoints/latest/agent.safetensors"):
        assert (whole / file).read_bytes() == (cut / file).read_bytes(), f"{name}: {file} differs"
    assert re.search(r'"train/', (whole / "metrics.jsonl").read_text())


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        recipe(rlhf, pathlib.Path(scratch))
        for name, settings in ALGORITHMS.items():
            algorithm(rlhf, pathlib.Path(scratch), name, settings)
        finish(rlhf, "recipe", "run", "coach", "--preset", "smoke", "--output", f"{scratch}/coach")
    print("5 passed, 0 failed")


main(sys.argv[1])
