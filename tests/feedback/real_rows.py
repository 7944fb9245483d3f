"""Real rows go into a store and come out as they were.

usage: real_rows.py RLHF DATA

Some hundred rows of public sets, in each format that can be read, are imported, exported and compared, all columns of them. DATA
is the folder of the sets; where it is absent the test is skipped (77).
"""
import collections
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile


def read(file, most=300):
    with open(file) as lines:
        return [json.loads(line) for line in itertools.islice(lines, most)]


def turns(prompt, *answers):
    return [{"role": "user", "content": prompt}] + [{"role": "assistant", "content": each} for each in answers]


def of_trl(data):
    pairs = read(data / "news-summary-prefs/pairs.jsonl")
    yield "trl", [{key: row[key] for key in ("prompt", "chosen", "rejected")} for row in read(data / "oasst1-100/pairs.jsonl")]
    yield "trl", [{"prompt": turns(row["prompt"])} | {key: turns("", row[key])[1:] for key in ("chosen", "rejected")} for row in pairs]
    yield "trl_unpaired", [{"prompt": row["prompt"], "completion": row[key], "label": key == "chosen"}
                           for row in pairs for key in ("chosen", "rejected")]
    yield "trl_prompts", [{"prompt": row["prompt"]} for row in read(data / "tldr/prompts.jsonl")]
    yield "trl_completions", [{"prompt": row["prompt"], "completion": row["chosen"]} for row in pairs]
    yield "trl_messages", [{"messages": turns(row["prompt"], row["chosen"])} for row in pairs]


def of_papers(data):
    yield "hh_rlhf", read(data / "hh-rlhf/harmless-base.test.jsonl")
    articles = {row["article_id"]: row["article"] for row in read(data / "news-summary-prefs/articles.jsonl")}
    for_two = read(data / "news-summary-prefs/judgements.jsonl", 400)
    yield "summarize", [{"info": {"id": row["article_id"], "article": articles[row["article_id"]], "site": "news"},
                         "summaries": [{"text": row["summary_writer"], "policy": "ref", "note": None}, {"text": row["summary_model"], "policy": "m"}],
                         "choice": int(row["overall"] == "model"), "worker": row["evaluator_id"], "batch": f"b{i}",
                         "split": "train" if i % 5 else "valid2", "extra": {"confidence": i % 9}}
                        for i, row in enumerate(for_two) if row["overall"] != "equal"]
    scores = {"equal": 0.0, "writer": 0.5, "model": -1.0}
    yield "webgpt", [{"question": {"dataset": "news", "id": str(i), "full_text": articles[row["article_id"]][:300]},
                      "quotes_0": {"title": ["Çà"], "extract": [articles[row["article_id"]][:50]]}, "quotes_1": {"title": [], "extract": []},
                      "answer_0": row["summary_writer"], "answer_1": row["summary_model"], "tokens_0": {"prefix": [1], "completion": [2]},
                      "tokens_1": {"prefix": [], "completion": []}, "score_0": scores[row["overall"]], "score_1": -scores[row["overall"]] + 0.0}
                     for i, row in enumerate(for_two)]


def of_tools(data):
    articles = {row["article_id"]: row["article"] for row in read(data / "news-summary-prefs/articles.jsonl")}
    for_two = list(enumerate(read(data / "news-summary-prefs/judgements.jsonl", 400)))
    chosen = {"writer": "response_0", "model": "response_1", "equal": "tie"}
    prompt = lambda i, row: turns(articles[row["article_id"]]) if i % 2 else articles[row["article_id"]]
    yield "argilla", [{"id": f"record-{i}", "status": "completed", "metadata": {"form": "pair_with_ties", "split": "train", "batch": i},
                       "fields": {"prompt": prompt(i, row), "response_0": row["summary_writer"], "response_1": row["summary_model"], "source": "news"},
                       "responses": {"better": [{"value": chosen[row["overall"]], "user_id": row["evaluator_id"], "status": "submitted"}]}}
                      for i, row in for_two]
    side = {"writer": "left", "model": "right"}
    yield "label_studio", [{"id": i, "meta": {"split": "train", "batch": "b"},
                            "data": {"prompt": prompt(i, row), "form": "pair_with_ties", "source": "news",
                                     "items": [{"id": "a", "body": row["summary_writer"]}, {"id": "b", "body": row["summary_model"]}]},
                            "annotations": [{"completed_by": row["evaluator_id"], "created_at": 1000.5, "lead_time": 2.0, "was_cancelled": False,
                                             "result": [{"from_name": "better", "to_name": "better", "type": "pairwise",
                                                         "value": {"selected": side[row["overall"]]}}]}]}
                           for i, row in for_two if row["overall"] != "equal"]


def program(rlhf, *words):
    done = subprocess.run([rlhf, "data", *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "left out" not in done.stderr, f"{words}: exit code {done.returncode}\n{done.stderr}"


def written(folder, ending):
    for file in folder.glob(f"out*.{ending}"):
        text = file.read_text()
        yield from json.loads(text) if ending == "json" else map(json.loads, text.splitlines())


def check_table(rlhf, form, store, scratch):
    """The table of answers: what comes out of it is what went in."""
    tables = []
    for name, source in (("one", store), ("two", scratch / "again.db")):
        program(rlhf, "export", "--store", source, "--to", "csv", "--output", scratch / f"{name}.csv", "--split-column")
        tables.append((scratch / f"{name}.csv").read_text())
        if name == "one":
            program(rlhf, "import", scratch / "one.csv", "--store", scratch / "again.db", "--form", "csv")
    one, two = (sorted(text.splitlines()) for text in tables)
    assert len(one) > 1 and one == two, f"{form}: the table changes on its way: {next((a, b) for a, b in zip(one, two) if a != b)}"


def check(rlhf, form, rows, scratch):
    ending = "json" if form in ("argilla", "label_studio") else "jsonl"
    source, store = scratch / f"in.{ending}", scratch / "feedback.db"
    source.write_text(json.dumps(rows) if ending == "json" else "".join(json.dumps(row) + "\n" for row in rows))
    program(rlhf, "import", source, "--store", store, "--form", form)
    program(rlhf, "export", "--store", store, "--to", form, "--output", scratch / f"out.{ending}")
    before, after = (collections.Counter(json.dumps(row, sort_keys=True) for row in some) for some in (rows, written(scratch, ending)))
    assert before == after, f"{form}: {next(iter(before - after), None)}\nbecame {next(iter(after - before), None)}"
    if form != "trl_prompts":  # nobody answered
        check_table(rlhf, form, store, scratch)
    print(f"{form}: {len(rows)} rows came back as they were")


def main(rlhf, data):
    for form, rows in itertools.chain(of_trl(data), of_papers(data), of_tools(data)):
        with tempfile.TemporaryDirectory() as scratch:
            check(rlhf, form, rows, pathlib.Path(scratch))


if __name__ == "__main__":
    if not pathlib.Path(sys.argv[2]).is_dir():
        print("skipped: the data sets are not there")
        sys.exit(77)
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
