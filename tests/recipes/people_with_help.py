"""People judge with a helper and without one; a recipe that waits for them is killed twice and goes on.

usage: people_with_help.py RLHF

Two scripted annotators answer the study `people` of recursive_reward_modeling by what the opened hints show, over the pages' own
interface. Answers come before the first kill, while nobody waits, and after the resumption; what the study says in the end has to be
what an uninterrupted one says, and what the log of the store comes to when it is counted here.
"""
import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from pages import call, start  # noqa: E402

NAMES, PAIRS = ["anna", "ben"], 6
STUDY = ["recipe", "run", "recursive_reward_modeling", "studies=people", f"people.names={','.join(NAMES)}", f"people.pairs={PAIRS}",
         "heldout=20", "finder.labels=40", "seeds=1", "--no-check"]


def judged(question):
    """The route with fewer hazards behind the hints, or the shorter one; by the places on the screen."""
    worth = [-int(item["text"].split()[0]) for item in question["items"]]
    for hint in question["hints"]:
        worth[hint["item"]] -= 5 * hint["text"].endswith("a hazard")
    return {"said": {"kind": "comparison", "best": worth.index(max(worth))}, "active_seconds": 3,
            "details": {"hints": {"kind": "hint_judgement", "opened": len(question["hints"]), "wrong": []}}}


def answer(url, name, count):
    for _ in range(count):
        held = call(url, "/api/next?count=1", name=name)["assignments"][0]
        assert held["question"]["id"].split("/")[1] == name, f"{name} was asked {held['question']['id']}"
        assert not {"finder", "metadata", "truth"} & set(held["question"]), "the page says more than it may"
        call(url, "/api/answer", {"assignment": held["id"], "answer": judged(held["question"])}, name)


def waiting(rlhf, store, folder, *more):
    """A run of the study, as soon as it waits."""
    log = folder / "arms/people_judgements-1/log.txt"
    before = log.read_text().count("waiting for people") if log.exists() else 0
    run = subprocess.Popen([rlhf, *STUDY, f"people.store={store}", "--output", str(folder), *more], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not log.exists() or log.read_text().count("waiting for people") == before:
        assert run.poll() is None, run.stderr.read()[-2000:]
        assert time.monotonic() < deadline, "it does not wait for people"
        time.sleep(0.05)
    return run


def kill(run):
    assert run.poll() is None, "it did not wait for the last answers"
    run.send_signal(signal.SIGKILL)
    run.wait()


def ended(run):
    _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said[-2000:]
    return said


def share(judged, wanted=True):
    return sum(right == wanted for right, _ in judged) / len(judged)


def counted(store):
    """Accuracy with help and without, and over-reliance, from nothing but the log."""
    questions, aided, alone = {}, [], []
    for kind, question, body in sqlite3.connect(store).execute("SELECT kind, question, body FROM events ORDER BY sequence"):
        if kind == "question":
            questions[question] = json.loads(body)["metadata"]
        elif kind == "answer":
            asked, best = questions[question], json.loads(body)["said"]["best"]
            better = asked["shown"]["truth"].index(max(asked["shown"]["truth"]))
            misleads = asked["people"]["help"] * (1 if better == 0 else -1) < 0
            (aided if asked["assistance"]["helper"] else alone).append((best == better, misleads))
    misled, spared = [[each for each in some if each[1]] for some in (aided, alone)]
    return {"people_aided_accuracy": share(aided), "people_unaided_accuracy": share(alone), "people_uplift": share(aided) - share(alone),
            "people_over_reliance": share(misled, False) - share(spared, False) if misled and spared else None}


def study(rlhf, scratch, kills):
    store, folder = scratch / "feedback.db", scratch / "run"
    server, url = start(rlhf, "collect", store)
    try:
        run = waiting(rlhf, store, folder)
        if kills:
            answer(url, "anna", 2)
            kill(run)
            answer(url, "anna", PAIRS - 2)
            kill(waiting(rlhf, store, folder, "--resume"))
            run = waiting(rlhf, store, folder, "--resume")
            answer(url, "ben", PAIRS)
        else:
            for name in NAMES:
                answer(url, name, PAIRS)
        said = ended(run)
    finally:
        server.terminate()
        server.wait(timeout=20)
    return json.loads((folder / "results.json").read_text()), json.loads((folder / "arms/people_judgements-1/people.json").read_text()), \
        counted(store), said


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        whole, cut = pathlib.Path(scratch) / "whole", pathlib.Path(scratch) / "cut"
        whole.mkdir()
        cut.mkdir()
        results, by_person, recount, said = study(rlhf, whole, kills=False)
        again, by_person_again, _, _ = study(rlhf, cut, kills=True)
    assert (results, by_person) == (again, by_person_again), f"{results}\n{again}"
    for number, value in recount.items():
        assert results.get(number) == value or abs(results[number] - value) < 1e-9, f"{number}: {results.get(number)}, but {value} in the store"
    assert results["people_judgements"] == len(NAMES) * PAIRS and results["people_opened"] == 1
    assert by_person["anna"]["judgements"] == by_person["anna"]["aided"]["n"] + by_person["anna"]["unaided"]["n"] == PAIRS
    assert by_person["everybody"]["aided"]["n"] == by_person["everybody"]["unaided"]["n"] == PAIRS
    assert results["people_aided_seconds"] == results["people_unaided_seconds"] == 3
    assert "people " in said and "uplift" in said
    print(f"people judged {results['people_judgements']} pairs: {results['people_unaided_accuracy']:.2f} right alone, "
          f"{results['people_aided_accuracy']:.2f} with help; killed twice, the study said the same")


main(sys.argv[1])
