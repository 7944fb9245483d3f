#!/usr/bin/env python3
"""How long annotators wait at `rlhf collect`: for the next question, and for the acknowledgement of an answer.

  benchmarks/annotators.py [--annotators 1000] [--rate 250] [--seconds 60] [--no-trainer]    a trainer refits on the labels meanwhile
  benchmarks/annotators.py --past FILE.db [...]                         no trainer; the questions and the past are the file's

The trainer is `rlhf train reward_model --follow` on the store that the annotators fill. A file with a past is made by
`fill_store` (benchmarks/feedback). It is worked on in place, so give a copy; it is dropped from the page cache first, and the
time from starting the server to the first question is measured.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import pages  # noqa: E402

WORDS = "the river answers slowly because people asked whether a model should explain what it believes kindly".split()


def write_questions(path, count):
    draw = random.Random(1)
    text = lambda words: " ".join(draw.choice(WORDS) for _ in range(words))
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps({"prompt": f"{text(12)} {number}", "completions": [text(30), text(30)]}) + "\n")


def forget_cached(store):
    """The operating system reads the file anew, as after a start of the machine."""
    for file in (store, pathlib.Path(f"{store}-wal")):
        if file.exists():
            descriptor = os.open(file, os.O_RDWR)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def timed_start(options, store, questions):
    began = time.monotonic()
    server, url = pages.start(options.build / "bin" / "rlhf", "collect", store, *questions)
    serving = time.monotonic() - began
    pages.call(url, "/api/next?count=1", name="first")
    return server, url, {"serving_seconds": round(serving, 3), "first_question_seconds": round(time.monotonic() - began, 3)}


def start_trainer(options, store, folder):
    command = [options.build / "bin" / "rlhf", "train", "reward_model", "--follow", "true", "--store", store, "--model", options.model,
               "--output", folder / "reward", "--first-labels", "100", "--new-labels", "500"]
    return subprocess.Popen(command, stdout=(folder / "trainer.out").open("w"), stderr=subprocess.STDOUT)


def versions(folder):
    metrics = folder / "reward" / "metrics.jsonl"
    return len(metrics.read_text().splitlines()) if metrics.exists() else 0


def measure(options, folder):
    store, questions = options.past or folder / "feedback.db", []
    if options.past:
        forget_cached(store)
    else:
        write_questions(folder / "questions.jsonl", int(options.rate * options.seconds * 1.5) + 2 * options.annotators)
        questions = ["--questions", folder / "questions.jsonl"]
    server, url, result = timed_start(options, store, questions)
    trainer = start_trainer(options, store, folder) if options.trainer and not options.past else None
    try:
        drive = [options.build / "benchmarks" / "serving" / "bench_annotators", url.rsplit(":", 1)[1], options.annotators, options.seconds, options.rate]
        result |= json.loads(subprocess.run([str(each) for each in drive], stdout=subprocess.PIPE, check=True, text=True).stdout)
        if trainer:
            assert trainer.poll() is None, "the trainer ended: " + (folder / "trainer.out").read_text()[-500:]
            result["trainer_metrics"] = versions(folder)
    finally:
        for process in filter(None, (trainer, server)):
            process.kill()  # a fit under way would go on to its end
            process.wait()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--annotators", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=250)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--no-trainer", dest="trainer", action="store_false")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--past", type=pathlib.Path)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rlhf-annotators-"))
    try:
        print(json.dumps(measure(options, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
