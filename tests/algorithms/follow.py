"""A reward model follows a store while somebody in another process answers.

usage: follow.py RLHF SOURCE

A scripted labeler prefers completions that say "good", over HTTP like the page does. Versions must come as labels do, learn the
preference, survive SIGTERM, and go on from the last one when resumed.
"""
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

WORDS = ["the cat", "a tree", "my house", "one day", "we went", "it rained", "she sang", "an egg"]


def questions(file, number):
    choose = random.Random(5)
    rows = []
    for i in range(number):
        texts = [f"{choose.choice(WORDS)} is good {i}", f"{choose.choice(WORDS)} is bad {i}"]
        choose.shuffle(texts)
        rows.append(json.dumps({"prompt": f"Story {i}:", "completions": texts}))
    file.write_text("\n".join(rows) + "\n")


def call(url, path, body=None):
    request = urllib.request.Request(url + path, headers={"Cookie": "rlhf_name=anna", "Content-Type": "application/json"},
                                     data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


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


def main(rlhf, source):
    model = pathlib.Path(source) / "tests/reference/models/llama_tied"
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        store, run = scratch / "feedback.db", scratch / "run"
        questions(scratch / "pairs.jsonl", 160)
        server = subprocess.Popen([rlhf, "--json", "collect", str(store), "--questions", str(scratch / "pairs.jsonl"), "--port", "0",
                                   "--heldout", "0.3", "--runs", str(scratch)], stdout=subprocess.PIPE, text=True)
        follower = None

        def follow(*more):
            return subprocess.Popen([rlhf, "train", "reward_model", "--follow", "--model", str(model), "--store", str(store),
                                     "--first-labels", "20", "--new-labels", "20", "--output", str(run), *more])

        def latest():
            return max((int(each.name.split("-")[1]) for each in (run / "checkpoints").glob("step-*")), default=0)

        try:
            url = json.loads(server.stdout.readline())["url"]
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
