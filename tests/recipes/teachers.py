"""Teachers of clips die in the middle, and the training that waits for them too: no label is lost, none counts twice.

usage: teachers.py RLHF

The recipe asks about pairs of clips through the pages' interface; teachers are processes of their own, killed with SIGKILL again
and again while they answer and replaced by others, and so is the recipe once. Every answer that was acknowledged must be in the
store's log, once, and the reward model must have been fitted to all that were there when it last asked.
"""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from pages import call, start  # noqa: E402

RECIPE = ["recipe", "run", "deep_rl_from_human_preferences", "--preset", "smoke", "--no-check", "people=true", 'arms=["labels"]',
          "ppo.total_steps=60000", "preferences.labels=80", "preferences.clip_steps=10", "preferences.schedule=10000"]
KILLS = 4


def teach(url, name, acknowledged):
    """Answers until it is killed; writes down what the server said it has. The livelier clip is the better one."""
    with open(acknowledged, "a") as log:
        while True:
            try:
                held = call(url, "/api/next?count=1&wait=1", name=name)["assignments"]
                if not held:
                    continue
                lively = [len(set(call(url, f"/media/{item['clip']}.json", name=name)["frames"])) for item in held[0]["question"]["items"]]
                said = {"kind": "comparison", "best": lively.index(max(lively)), "tie": lively[0] == lively[1]}
                done = call(url, "/api/answer", {"assignment": held[0]["id"], "answer": {"said": said}}, name)
                os.write(log.fileno(), f"{done['sequence']}\n".encode())
                time.sleep(0.02)
            except (urllib.error.URLError, ConnectionError) as error:
                if getattr(error, "code", 409) not in (409, 503):
                    raise
                time.sleep(0.05)


def spawn(url, name, acknowledged):
    return subprocess.Popen([sys.executable, __file__, "--teach", url, name, str(acknowledged)])


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        store, acknowledged = scratch / "feedback.db", scratch / "acknowledged"
        server, url = start(rlhf, "collect", store, "--runs", scratch)
        words = [rlhf, *RECIPE, f"preferences.store={store}", "--output", scratch / "run"]
        recipe, teacher = subprocess.Popen(words, stderr=subprocess.DEVNULL), None
        answered = lambda: len(acknowledged.read_text().split()) if acknowledged.exists() else 0
        try:
            for life in range(KILLS):
                teacher = spawn(url, f"teacher-{life % 2}", acknowledged)
                goal = answered() + 4
                deadline = time.monotonic() + 60
                while answered() < goal and time.monotonic() < deadline:
                    time.sleep(0.02)
                assert answered() >= goal, "nobody was asked anything"
                kill(teacher)
                if life == 1:
                    kill(recipe)
                    recipe = subprocess.Popen([*words, "--resume"], stderr=subprocess.PIPE, text=True)
            teacher = spawn(url, "teacher-0", acknowledged)
            _, said = recipe.communicate(timeout=300)
            assert recipe.returncode == 0, said[-2000:]
        finally:
            for process in (teacher, recipe):
                if process and process.poll() is None:
                    kill(process)
            server.terminate()
            server.wait(timeout=20)
        wanted = [int(line) for line in acknowledged.read_text().split("\n") if line]
        with sqlite3.connect(store) as database:
            stored = [row[0] for row in database.execute("select sequence from events where kind = 'answer' order by sequence")]
            questions = [row[0] for row in database.execute("select question from events where kind = 'answer'")]
        labels = json.loads((scratch / "run/arms/labels-1/results.json").read_text())["labels"]
        cursor = json.loads((scratch / "run/arms/labels-1/labels.jsonl").read_text().splitlines()[-1])["cursor"]
        assert set(wanted) <= set(stored), f"acknowledged and lost: {set(wanted) - set(stored)}"
        assert len(set(questions)) == len(questions), "a question was answered twice"
        assert labels == sum(sequence <= cursor for sequence in stored), f"the reward model had {labels} labels"
        print(f"{len(wanted)} acknowledged answers of teachers killed {KILLS} times, {len(stored)} stored, {labels:.0f} used by the last fit")


if __name__ == "__main__":
    teach(*sys.argv[2:]) if sys.argv[1] == "--teach" else main(sys.argv[1])
