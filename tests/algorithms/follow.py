"""A reward model follows a store while somebody in another process answers.

usage: follow.py RLHF SOURCE

A scripted labeler prefers completions that say "good", over HTTP like the page does. Versions must come as labels do, learn the
preference, survive SIGTERM, and go on from the last one when resumed. With --select, what an ensemble disagrees on is asked next.
"""
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from pages import call, start  # noqa: E402

WORDS = ["the cat", "a tree", "my house", "one day", "we went", "it rained", "she sang", "an egg"]


def questions(file, number):
    choose = random.Random(5)
    rows = []
    for i in range(number):
        texts = [f"{choose.choice(WORDS)} is good {i}", f"{choose.choice(WORDS)} is bad {i}"]
        choose.shuffle(texts)
        rows.append(json.dumps({"prompt": f"Story {i}:", "completions": texts}))
    file.write_text("\n".join(rows) + "\n")


def answer(url, number):
    for _ in range(number):
        held = call(url, "/api/next?count=1")["assignments"][0]
        items = ["good" in item["text"] for item in held["question"]["items"]]
        call(url, "/api/answer", {"assignment": held["id"], "answer": {"said": {"kind": "comparison", "best": items.index(True)}}})


def rows(run):
    file = run / "metrics.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(what, holds, process, seconds=120):
    until = time.monotonic() + seconds
    while not holds():
        assert process.poll() is None, f"the trainer ended with {process.returncode} before {what}"
        assert time.monotonic() < until, f"{what} did not happen in {seconds} s"
        time.sleep(0.1)


def selection(rlhf, model, scratch):
    """The model learns what is good; of what is still open, pairs without a good one are then asked first, except for a share drawn at random."""
    store, choose, pairs = scratch / "select.db", random.Random(6), []
    for i in range(160):
        clear = [f"{choose.choice(WORDS)} is good {i}", f"{choose.choice(WORDS)} is bad {i}"]
        neither = [f"{choose.choice(WORDS)} {choose.choice(WORDS)} {i}" for _ in range(2)]
        pairs.append({"prompt": f"Story {i}:", "completions": clear if i < 110 else neither, "priority": 1.0 if i < 60 else 0.0})
    (scratch / "select.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    server, url = start(rlhf, "collect", store, "--questions", scratch / "select.jsonl", "--heldout", "0", "--runs", scratch)
    try:
        answer(url, 60)
        done = subprocess.run([rlhf, "train", "reward_model", "--follow", "--model", str(model), "--store", str(store), "--first-labels", "60",
                               "--refits", "1", "--select", "--random-share", "0.2", "--output", str(scratch / "selecting")],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "asked in a new order" in done.stderr, done.stderr
        held = [call(url, "/api/next?count=5", name=f"reader-{i}")["assignments"] for i in range(4)]
    finally:
        server.terminate()
        server.wait(timeout=30)
    unclear = ["good" not in "".join(item["text"] for item in each["question"]["items"]) for some in held for each in some]
    print(f"of the next {len(unclear)} questions {sum(unclear)} are unclear; 50 of the 100 open ones are")
    assert len(unclear) == 20 and sum(unclear) >= 14, "the ensemble's doubts were not asked first"
    assert not all(unclear), "nothing was chosen at random"


def main(rlhf, source):
    model = pathlib.Path(source) / "tests/reference/models/llama_tied"
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        selection(rlhf, model, scratch)
        store, run = scratch / "feedback.db", scratch / "run"
        questions(scratch / "pairs.jsonl", 160)
        server, url = start(rlhf, "collect", store, "--questions", scratch / "pairs.jsonl", "--heldout", "0.3", "--runs", scratch)
        follower = None

        def follow(*more):
            return subprocess.Popen([rlhf, "train", "reward_model", "--follow", "--model", str(model), "--store", str(store),
                                     "--first-labels", "20", "--new-labels", "20", "--output", str(run), *more])

        def latest():
            return max((int(each.name.split("-")[1]) for each in (run / "checkpoints").glob("step-*")), default=0)

        try:
            follower = follow()
            answer(url, 50)
            wait_for("version 1", lambda: latest() >= 1, follower)
            answer(url, 40)
            wait_for("version 2", lambda: latest() >= 2, follower)
            follower.send_signal(signal.SIGTERM)
            stopped = follower.wait(timeout=60)
            assert stopped == 143, f"SIGTERM: exit code {stopped}"
            before = rows(run)
            assert [row["step"] for row in before] == list(range(1, len(before) + 1)), f"versions {before}"
            answer(url, 40)
            follower = follow("--resume")
            wait_for("a version of the resumed run", lambda: latest() > len(before), follower)
            follower.terminate()
            follower.wait(timeout=60)
        finally:
            for process in (follower, server):
                if process and process.poll() is None:
                    process.terminate()
                    process.wait(timeout=30)
        after = rows(run)
        print([(row["step"], row["labels"], row["held_out_labels"], round(row["loss"], 3), row.get("eval_accuracy")) for row in after])
        assert after[:len(before)] == before, "resuming changed what was written before"
        assert all(later["labels"] - sooner["labels"] >= 20 for sooner, later in zip(after, after[1:])), "a version came too soon"
        assert after[-1]["labels"] + after[-1]["held_out_labels"] == 130, "answers were lost"
        last = after[-1]
        assert last["eval_accuracy"] > 0.8, "the preference was not learnt"
        assert last["eval_accuracy/low"] <= last["eval_accuracy"] <= last["eval_accuracy/high"]
        head = (run / "checkpoints" / f"step-{latest():06}")
        assert (head / "head.safetensors").exists() and (head / "reward.json").exists(), "a version without its head"
    print("the reward model followed the labels, stopped, and went on")


if __name__ == "__main__":
    main(*sys.argv[1:])
