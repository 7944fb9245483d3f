"""Rows of public data sets go into a store and come out as they were.

usage: real_rows.py RLHF SOURCE_FOLDER

Some hundred rows of each format, taken from real data or made of it, are imported into a store and exported again. The rows have to
be equal as JSON, however often each occurs; CSV, Argilla and Label Studio, whose files we write ourselves, equal to the byte. The data
is looked for in shared/data beside the repository; exits with 77 (skipped) where it is absent.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

RLHF, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
DATA = SOURCE.resolve().parent / "shared" / "data"
MOST = 300
if not DATA.is_dir():
    print(f"skipped: there is no {DATA}")
    sys.exit(77)


def rows_of(name):
    with open(DATA / name, encoding="utf-8") as file:
        return [json.loads(line) for _, line in zip(range(MOST), file)]


def turn(role, text):
    return {"role": role, "content": text}


def conversational(row):
    return {"prompt": [turn("user", row["prompt"])], **{side: [turn("assistant", row[side])] for side in ("chosen", "rejected")}}


def summarised(number, row):
    """A comparison of summaries as Stiennon et al. published them; the better one is on either side."""
    summaries = [{"text": row["chosen"], "policy": "a", "note": ""}, {"text": row["rejected"], "policy": "b", "note": None}]
    better = number % 2
    return {"info": {"id": str(number), "article": row["prompt"], "title": "", "site": "news"}, "summaries": summaries[::-1] if better else summaries,
            "choice": better, "worker": f"worker {number % 5}", "batch": "batch3", "split": "valid1" if number % 3 == 0 else "train",
            "extra": {"confidence": number % 9 + 1}}


def researched(number, row):
    """A comparison of answers with quotes as WebGPT's are; the middle of the scale is a tie."""
    score = (0.5, 1.0, -0.5, -1.0, 0.0)[number % 5]
    sides = {"0": (row["chosen"], score), "1": (row["rejected"], -score + 0.0)}
    whole = {"question": {"dataset": "eli5", "id": str(number), "full_text": row["prompt"]}}
    for side, (text, value) in sides.items():
        whole |= {f"quotes_{side}": {"title": ["a page", "é"], "extract": [text[:40], "x\ny"]}, f"answer_{side}": text,
                  f"tokens_{side}": {"prefix": [1, 2], "completion": [3]}, f"score_{side}": value}
    return whole


def samples():
    """Format, and rows of it."""
    yield "hh_rlhf", rows_of("hh-rlhf/harmless-base.test.jsonl")
    pairs = [row for name in ("oasst1-100", "news-summary-prefs", "tldr") for row in rows_of(f"{name}/pairs.jsonl")]
    pairs = [{key: row[key] for key in ("prompt", "chosen", "rejected")} for row in pairs if row["chosen"] != row["rejected"]]
    assert len(pairs) > MOST
    yield "trl", pairs
    yield "trl", [conversational(row) for row in pairs]
    yield "trl_unpaired", [{"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}
                           for row in pairs for side in ("chosen", "rejected")]
    yield "trl_prompts", [{"prompt": prompt} for prompt in rows_of("oasst1-100/prompts_250.jsonl")]
    yield "trl_completions", [{"prompt": row["prompt"], "completion": row["chosen"]} for row in pairs]
    answers = {row["question_id"]: row["choices"][0]["turns"] for row in rows_of("mt-bench/reference_gpt-4.jsonl")}
    yield "trl_messages", [{"messages": [said for asked, told in zip(row["turns"], answers[row["question_id"]])
                                         for said in (turn("user", asked), turn("assistant", told))]}
                           for row in rows_of("mt-bench/question.jsonl") if row["question_id"] in answers]
    news = [row for row in rows_of("news-summary-prefs/pairs.jsonl") if row["chosen"] != row["rejected"]]
    yield "summarize", [summarised(number, row) for number, row in enumerate(news)]
    yield "webgpt", [researched(number, row) for number, row in enumerate(news)]


def run(*words):
    """What the program tells."""
    return subprocess.run([RLHF, "data", *map(str, words)], check=True, capture_output=True, text=True).stderr


def counted(rows):
    return collections.Counter(json.dumps(row, sort_keys=True) for row in rows)


def exported(store, form, folder):
    """The rows of both sides of the split."""
    for old in folder.glob("out*"):
        old.unlink()
    run("export", "--store", store, "--to", form, "--output", folder / "out.jsonl")
    return [json.loads(line) for file in sorted(folder.glob("out*")) for line in file.read_text(encoding="utf-8").splitlines()]


def check_row_format(form, rows, folder):
    file, store = folder / "in.jsonl", folder / "a.db"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    told = run("import", file, "--store", store, "--form", form)
    assert f"{len(rows)} rows read" in told and "left out" not in told, told
    before, after = counted(rows), counted(exported(store, form, folder))
    lost, new = before - after, after - before
    assert not lost and not new, f"{form}: lost {list(lost)[:1]}, new {list(new)[:1]}"
    return store


def check_own_file(form, ending, store, folder):
    """Written from the store, read into another one, and written again."""
    first, again = folder / f"first.{ending}", folder / f"again.{ending}"
    run("export", "--store", store, "--to", form, "--output", first, "--split-column=true")
    told = run("import", first, "--store", folder / f"{form}.db", "--form", form)
    assert "left out" not in told, told
    run("export", "--store", folder / f"{form}.db", "--to", form, "--output", again, "--split-column=true")
    assert first.stat().st_size > 10_000 and first.read_bytes() == again.read_bytes(), f"{form} of {store}"


for number, (form, rows) in enumerate(samples()):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        store = check_row_format(form, rows, folder)
        own = [("csv", "csv"), ("argilla", "json"), ("label_studio", "json")] if form != "trl_prompts" else []
        if form == "webgpt":  # quotes have no place in CSV and Argilla
            own = own[2:]
        for tool, ending in own:
            check_own_file(tool, ending, store, folder)
        print(f"{form}: {len(rows)} rows; {', '.join(tool for tool, _ in own)}")
