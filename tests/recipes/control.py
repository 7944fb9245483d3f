"""Learning from preferences keeps its promises, and a run that is killed goes on to the same bits.

usage: control.py RLHF

1. The smoke preset of deep_rl_from_human_preferences ends with exit code 0.
2. Killed while it learns from labels, it ends with the same results, and no label is lost or given twice.
3. PPO, DQN, SAC and TD3, PPO on a robot of MuJoCo and DQN on the pictures of an Atari game, killed after a checkpoint,
   end with the weights and metrics of runs that were not.
4. The smoke presets of atari_preferences_demos, coach, deep_tamer and recursive_reward_modeling end with exit code 0,
   and their reports show an agent of each arm at play and the curves of what was learnt.
5. atari_preferences_demos, killed while it learns from labels, ends with the same results.
6. deep_tamer and coach, killed in the middle of a lesson, end with the same results and the same log.
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
# Between a checkpoint and the next update rows are reported: they repeat the update before it.
LATE = ["network.hidden=[32, 32]", "total_steps=2000", "start=200", "train_every=60", "gradient_steps=30",
        "report_every=20", "checkpoint_every=250", "evaluate=5"]
ALGORITHMS = [  # what learns, where, its settings
    ("control_ppo", "cart_pole", ["total_steps=40000", "checkpoint_every=5", "evaluate=10"]),
    ("dqn", "cart_pole", ["total_steps=12000", "checkpoint_every=1500", "start=500", "report_every=500", "evaluate=10"]),
    ("sac", "pendulum", LATE),
    ("td3", "pendulum", LATE),
    ("control_ppo", "hopper", ["total_steps=8192", "normalization.observations=true", "normalization.rewards=true",
                               "checkpoint_every=2", "evaluate=5"]),
    ("dqn", "atari", ['settings={"game": "pong", "episodic_life": true}', "network.architecture=nature",
                      "total_steps=600", "start=100", "train_every=8", "report_every=20", "checkpoint_every=150",
                      "replay.capacity=400", "evaluate=1"]),
]


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


def shown(folder, agents, *parts):
    """The report has so many agents at play, or more, and these parts."""
    page = (folder / "report.html").read_text()
    there = page.count("<figure class='agent'>")
    assert there >= agents, f"{folder}: {there} agents at play instead of {agents}"
    for part in parts:
        assert part in page, f"{folder}: no {part} in the report"


def results(folder):
    """Everything but the seconds it took."""
    parts = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("**/results.json"))}
    for part in parts.values():
        part.pop("seconds", None)
    return parts


def recipe(rlhf, scratch, name, arm, rows, *settings):
    words, scratch = ["recipe", "run", name, "--preset", "smoke", *settings], scratch / name
    finish(rlhf, *words, "--output", scratch / "whole")
    shown(scratch / "whole", 2, "Interquartile mean")
    journal = scratch / f"cut/arms/{arm}/labels.jsonl"
    saved = scratch / f"cut/arms/{arm}/checkpoints/latest"
    kill_once(rlhf, lambda: saved.exists() and journal.exists() and journal.read_text().count("\n") > rows, *words,
              "--output", scratch / "cut")
    finish(rlhf, *words, "--output", scratch / "cut", "--resume")
    whole, cut = results(scratch / "whole"), results(scratch / "cut")
    assert whole.pop("whole") == cut.pop("cut") and whole == cut, f"{whole}\n{cut}"
    assert journal.read_bytes() == (scratch / f"whole/arms/{arm}/labels.jsonl").read_bytes(), "labels differ"
    print("recipe:", {name: round(part["return"], 1) for name, part in whole.items()})


def missing(rlhf, environment):
    """What has to be installed before it can be played; nothing for most."""
    done = subprocess.run([rlhf, "env", "ls", "--json"], capture_output=True, text=True, check=True)
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    needs = rows[environment].get("needs", "")
    return "" if needs.endswith("which is installed") else needs


def algorithm(rlhf, scratch, name, environment, settings):
    if needs := missing(rlhf, environment):
        print(f"skipped: {name} on {environment} needs {needs}")
        return False
    words = ["train", name, f"environment={environment}", *settings]
    whole, cut = scratch / f"{name}-{environment}-whole", scratch / f"{name}-{environment}-cut"
    finish(rlhf, *words, "--output", whole)
    kill_once(rlhf, lambda: (cut / "checkpoints/latest").exists(), *words, "--output", cut)
    finish(rlhf, *words, "--output", cut, "--resume")
    for file in ("metrics.jsonl", "results.json", "checkpoints/latest/agent.safetensors"):
        assert (whole / file).read_bytes() == (cut / file).read_bytes(), f"{name} on {environment}: {file} differs"
    assert re.search(r'"train/', (whole / "metrics.jsonl").read_text())
    print(f"killed and resumed: {name} on {environment}")
    return True


def lesson(rlhf, scratch, name, arm, agents):
    words, scratch = ["recipe", "run", name, "--preset", "smoke"], scratch / name
    whole, cut, log = scratch / "whole", scratch / "cut", f"arms/{arm}/session.jsonl"
    finish(rlhf, *words, "--output", whole)
    shown(whole, agents, "minutes of teaching")
    kill_once(rlhf, lambda: (cut / log).exists() and (cut / log).stat().st_size > 100000, *words, "--output", cut)
    assert not (cut / f"arms/{arm}/results.json").exists(), "it was not in its lesson any more"
    finish(rlhf, *words, "--output", cut, "--resume")
    assert (whole / log).read_bytes() == (cut / log).read_bytes(), f"{name}: {log} differs"
    whole, cut = results(whole), results(cut)
    assert whole.pop("whole") == cut.pop("cut") and whole == cut, f"{whole}\n{cut}"
    print(f"lesson: {name}, killed and resumed")


def recursive(rlhf, scratch):
    finish(rlhf, *RECURSIVE, "--preset", "smoke", "--output", scratch / "smoke")
    shown(scratch / "smoke", 7, "Inspector: judged right", "Inspector: best of N")
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
        recipe(rlhf, pathlib.Path(scratch), "deep_rl_from_human_preferences", "labels-1", 30, "ppo.checkpoint_every=2")
        recipe(rlhf, pathlib.Path(scratch), "atari_preferences_demos", "demos_prefs-1", 4)
        resumed = sum(algorithm(rlhf, pathlib.Path(scratch), *one) for one in ALGORITHMS)
        lesson(rlhf, pathlib.Path(scratch), "deep_tamer", "mountain_car_deep-1", 2)
        lesson(rlhf, pathlib.Path(scratch), "coach", "pursuit_coach-1", 4)
        recursive(rlhf, pathlib.Path(scratch) / "recursive")
        audit(rlhf, pathlib.Path(scratch) / "audit")
    print(f"{8 + resumed} passed, 0 failed")


main(sys.argv[1])
