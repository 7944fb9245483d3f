"""People answer what a running training asks, over the pages' own interface; the policy goes on meanwhile.

usage: people.py RLHF NODE

A recipe publishes questions on its own samples, waits for the first round and goes on during the second. Two scripted annotators
answer by what they see: one over HTTP like the page does, one at the page itself, in real Chromium (web/tests/annotator.mjs). The reward model must order held-out pairs better than chance, and the
policy must gain on the gold reward that the annotators go by.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from pages import call, start  # noqa: E402

WARM = {"happy", "good", "great", "love", "loved", "nice", "kind", "wonderful", "joy", "glad", "smile", "smiled", "best", "fun", "sweet"}
COLD = {"sad", "bad", "hate", "hated", "awful", "terrible", "angry", "cried", "cry", "worst", "lost", "mean", "cruel", "fear", "ugly"}


class Annotator:
    """What the page does: ask for a question, send the answer, in the order shown."""

    def __init__(self, url, name):
        self.url, self.name = url, name

    def call(self, path, body=None):
        return call(self.url, path, body, self.name)

    def judge(self, text):
        words = [word.strip(".,!?\"'").lower() for word in text.split()]
        return sum(word in WARM for word in words) - sum(word in COLD for word in words)

    def work(self, over):
        answered = 0
        while not over.is_set():
            try:
                held = self.call("/api/next?count=1")["assignments"]
                if not held:
                    time.sleep(0.2)
                    continue
                items = [self.judge(item["text"]) for item in held[0]["question"]["items"]]
                said = {"said": {"kind": "comparison", "best": items.index(max(items))}}
                self.call("/api/answer", {"assignment": held[0]["id"], "answer": said})
                answered += 1
            except urllib.error.HTTPError as error:
                if error.code not in (409, 503):
                    raise
        self.answered = answered


class Page:
    """The same at the page, in a browser."""

    def __init__(self, node, url, name):
        script = pathlib.Path(__file__).parents[2] / "web" / "tests" / "annotator.mjs"
        self.process = subprocess.Popen([node, script, url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def work(self, over):
        over.wait()
        said, _ = self.process.communicate(timeout=60)  # its standard input ends
        self.answered = json.loads(said)["answered"]


def main(rlhf, node):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        store = scratch / "feedback.db"
        server, url = start(rlhf, "collect", store, "--runs", scratch)
        over, annotators, threads = threading.Event(), [], []
        try:
            annotators = [Annotator(url, "anna"), Page(node, url, "ben")]
            threads = [threading.Thread(target=each.work, args=(over,)) for each in annotators]
            for thread in threads:
                thread.start()
            done = subprocess.run([rlhf, "recipe", "run", "fine_tuning_from_preferences", "--preset", "smoke", "--no-check",
                                   "--output", str(scratch / "run"), "labels.labeler=human", f"labels.store={store}",
                                   "labels.rounds=2", "labels.first_round=0.6", "labels.wait=false"],
                                  capture_output=True, text=True, timeout=600)
            print(done.stderr[-1500:])
            assert done.returncode == 0, f"exit code {done.returncode}"
            overview = annotators[0].call("/api/owner/overview")["counts"]
        finally:
            over.set()
            for thread in threads:
                thread.join()
            server.terminate()
            server.wait(timeout=20)
        assert "waiting for people" in done.stderr and url in done.stderr, "the recipe did not say where people answer"
        results = json.loads((scratch / "run" / "results.json").read_text())
        rows = [json.loads(line) for line in (scratch / "run" / "metrics.jsonl").read_text().splitlines()]
        fits = [row for row in rows if "reward_model/eval_accuracy" in row]
        answers = [each.answered for each in annotators]
        print(f"answers {answers}, store {overview}, fits {[(row['step'], row['reward_model/labels'], row['reward_model/eval_accuracy']) for row in fits]}, "
              f"gold gain {results['gold_gain']:.2f}")
        assert sum(answers) == overview["answers"] and min(answers) > 0, "answers were lost, doubled, or one of the two had nothing to do"
        assert len(fits) == 2 and fits[1]["reward_model/labels"] > fits[0]["reward_model/labels"], "the second round was not used"
        assert max(row["reward_model/eval_accuracy"] for row in fits) > 0.55, "the reward model learnt nothing"
        assert results["gold_gain"] > 0.1, "the policy learnt nothing"
        assert not store.with_name("feedback.db.url").exists(), "the server left its address behind"
    print("people answered, one of them in a browser, the reward model and the policy learnt")


if __name__ == "__main__":
    main(*sys.argv[1:])
