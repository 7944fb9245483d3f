"""Learning from preferences keeps its promises, and a run that is killed goes on to the same bits.

usage: control.py RLHF

1. The smoke preset of deep_rl_from_human_preferences ends with exit code 0.
2. Killed while it learns from labels, it ends with the same results, and no label is lost or given twice.
3. PPO and DQN, killed after a checkpoint, end with the weights and metrics of runs that were not.
4. The smoke presets of atari_preferences_demos, coach, deep_tamer and recursive_reward_modeling end with exit code 0.
5. atari_preferences_demos, killed while it learns from labels, ends with the same results.
6. deep_tamer, killed in the middle of a lesson, ends with the same results and the same log.
7. recursive_reward_modeling, killed while the evaluator answers, ends with the same results.
8. An agent that is retrained on a frozen reward model, killed while it is, ends with the same audit.
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

RECURSIVE = ["recipe", "run", "recursive_reward_modeling"]
SHORT = ["studies=inspector", "conditions=helper", "heldout=60", "labels=60", "rounds=2", "frozen_times=0", "seeds=1",
         "--no-check"]
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


def recipe(rlhf, scratch, name, arm, rows):
    words, scratch = ["recipe", "run", name, "--preset", "smoke"], scratch / name
    finish(rlhf, *words, "--output", scratch / "whole")
    journal = scratch / f"cut/arms/{arm}/labels.jsonl"
    kill_once(rlhf, lambda: journal.exists() and journal.read_text().count("\n") > rows, *words, "--output",
              scratch / "cut")
    finish(rlhf, *words, "--output", scratch / "cut", "--resume")
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


def lesson(rlhf, scratch):
    words = ["recipe", "run", "deep_tamer", "--preset", "smoke"]
    finish(rlhf, *words, "--output", scratch / "tamer-whole")
    log = "arms/mountain_car_deep-1/session.jsonl"
    cut = scratch / "tamer-cut"
    kill_once(rlhf, lambda: (cut / log).exists() and (cut / log).stat().st_size > 100000, *words, "--output", cut)
    assert not (cut / "arms/mountain_car_deep-1/results.json").exists(), "it was not in its lesson any more"
    finish(rlhf, *words, "--output", scratch / "tamer-cut", "--resume")
    assert (scratch / "tamer-whole" / log).read_bytes() == (scratch / "tamer-cut" / log).read_bytes()
    whole, cut = results(scratch / "tamer-whole"), results(scratch / "tamer-cut")
    assert whole.pop("tamer-whole") == cut.pop("tamer-cut") and whole == cut, f"{whole}\n{cut}"
    print("lesson:", {name: round(part["return"], 1) for name, part in whole.items()})


def recursive(rlhf, scratch):
    finish(rlhf, *RECURSIVE, "--preset", "smoke", "--output", scratch / "smoke")
    finish(rlhf, *RECURSIVE, *SHORT, "--output", scratch / "whole")
    log = scratch / "cut/arms/inspector_heldout-1/feedback.db-wal"
    kill_once(rlhf, lambda: log.exists() and log.stat().st_size > 200_000, *RECURSIVE, *SHORT, "--output",
              scratch / "cut")
    finish(rlhf, *RECURSIVE, *SHORT, "--output", scratch / "cut", "--resume")
    whole, cut = results(scratch / "whole"), results(scratch / "cut")
    assert whole.pop("whole") == cut.pop("cut") and whole == cut, f"{whole}\n{cut}"


def audit(rlhf, scratch):
    words = [
        "recipe", "run", "deep_rl_from_human_preferences", "arms=labels,frozen", "seeds=1", "ppo.total_steps=40960",
        "ppo.checkpoint_every=2", "preferences.labels=80", "--no-check"
    ]
    finish(rlhf, *words, "--output", scratch / "whole")
    rows = scratch / "cut/arms/frozen-1/audit.jsonl"
    kill_once(rlhf, lambda: rows.exists() and rows.read_text().count("\n") > 3, *words, "--output", scratch / "cut")
    finish(rlhf, *words, "--output", scratch / "cut", "--resume")
    whole, cut = results(scratch / "whole"), results(scratch / "cut")
    assert whole.pop("whole") == cut.pop("cut") and whole == cut, f"{whole}\n{cut}"
    for file in ("audit.jsonl", "arms/frozen-1/audit.jsonl", "arms/labels-1/returns.jsonl",
                 "arms/labels-1/learnt_reward.json"):
        assert (scratch / "whole" / file).read_bytes() == (scratch / "cut" / file).read_bytes(), f"{file} differs"
    assert "Frozen and retrained" in (scratch / "whole/report.html").read_text()


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        recipe(rlhf, pathlib.Path(scratch), "deep_rl_from_human_preferences", "labels-1", 30)
        recipe(rlhf, pathlib.Path(scratch), "atari_preferences_demos", "demos_prefs-1", 4)
        for name, settings in ALGORITHMS.items():
            algorithm(rlhf, pathlib.Path(scratch), name, settings)
        finish(rlhf, "recipe", "run", "coach", "--preset", "smoke", "--output", f"{scratch}/coach")
        lesson(rlhf, pathlib.Path(scratch))
        recursive(rlhf, pathlib.Path(scratch) / "recursive")
        audit(rlhf, pathlib.Path(scratch) / "audit")
    print("10 passed, 0 failed")


main(sys.argv[1])
