"""What is exported for Argilla and Label Studio is what their own packages take.

usage: tool_files.py RLHF

Answers on forms of every kind go into a store and out again; Argilla's Record and Label Studio's LabelInterface read the files.
Needs the packages argilla and label-studio-sdk in the Python that runs it; exits with 77 (skipped) where they are absent.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import argilla
    from argilla._models import RecordModel, UserResponseModel
    from label_studio_sdk.label_interface import LabelInterface
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ORDER = {"kind": "ranking", "groups": [[1, 0], [2]]}
STRICT = {"kind": "ranking", "groups": [[2], [0], [1]]}
STARS = {"kind": "rating", "values": [{"item": i, "axis": "quality", "value": i + 1} for i in range(3)]}
ANSWERS = [  # form, number of items, what is said, details
    ("pair_with_ties", 2, {"kind": "comparison", "best": 1, "tie": False, "strength": 1.0}, {}),
    ("pair_with_ties", 2, {"kind": "comparison", "best": 0, "tie": True, "strength": 1.0}, {}),
    ("pair_strength", 2, {"kind": "comparison", "best": 0, "tie": False, "strength": 0.5}, {}),
    ("instructgpt", 3, ORDER, {"quality": STARS}),
    ("instructgpt", 3, STRICT, {"quality": STARS}),
    ("critique", 1, {"kind": "span_critique", "spans": [{"item": 0, "begin": 0, "end": 4, "category": "wrong", "remark": "why"}]}, {}),
    ("correction", 1, {"kind": "correction", "item": 0, "text": "better"}, {}),
    ("demonstration", 0, {"kind": "demonstration", "text": "so"}, {}),
]
TAGS = {"pairwise": "Pairwise", "choices": "Choices", "rating": "Rating", "number": "Number", "textarea": "TextArea", "ranker": "Ranker",
        "labels": "Labels"}


def events():
    """Each question with an answer of a person and one of a model."""
    rows = []
    for number, (form, items, said, details) in enumerate(ANSWERS):
        question = {"version": 2, "id": f"q{number}", "form": form, "answers": 2, "split": "train", "shown": list(range(items)),
                    "prompt": {"id": f"p{number}", "text": "", "ids": [], "messages": [{"role": "user", "content": "Say a word."}]},
                    "items": [{"text": f"word 😀 {i}", "ids": [], "policy_version": 0, "sample": i} for i in range(items)],
                    "guideline": "", "metadata": None}
        rows.append({"kind": "question", "question": question["id"], "body": question})
        for name, source in (("ann", "human"), ("judge", "model")):
            rows.append({"kind": "answer", "question": question["id"], "annotator": name, "source": source,
                         "body": {"version": 2, "said": said, "details": details, "comment": "a remark"}})
    for number, row in enumerate(rows):
        yield {"sequence": number + 1, "guideline": "", "asked_at": 1.0, "answered_at": 2.0, **row}


def check_argilla(file):
    """The package's own reader takes every record, and gives back what it read."""
    rows = json.loads(file.read_text())
    assert len(rows) == len(ANSWERS), len(rows)
    for row in rows:
        record = argilla.Record.from_dict(row)
        RecordModel(external_id=record.id, fields=record.fields.to_dict(), metadata=record.metadata.api_models(), status=row["status"])
        for responses in row["responses"].values():
            for each in responses:
                UserResponseModel(values={}, status=each["status"], user_id=each["user_id"])  # refuses what is no UUID
        back = record.to_dict()
        assert back["fields"] == row["fields"] and isinstance(back["fields"]["prompt"], list)
        assert {k: [each["value"] for each in v] for k, v in back["responses"].items()} == \
               {k: [each["value"] for each in v] for k, v in row["responses"].items()}
        assert back["suggestions"].keys() == row["suggestions"].keys() == row["responses"].keys()


def config_of(task):
    """A labelling page with the controls that the task's results name, as a project of Label Studio would have it."""
    buckets = any(result["type"] == "ranker" and result["from_name"] not in result["value"]["ranker"]
                  for each in task["annotations"] for result in each["result"])
    tags = {'<Paragraphs name="prompt" value="$prompt" nameKey="role" textKey="content"/>', '<List name="items" value="$items"/>'}
    tags |= {f'<Text name="{name}" value="${name}"/>' for name in task["data"] if name.startswith("response_")}
    options = {}
    for each in task["annotations"] + task["predictions"]:
        for result in each["result"]:
            key = (result["from_name"], result["to_name"], result["type"])
            options.setdefault(key, set()).update(result["value"].get("choices", []) + result["value"].get("labels", []))
    for (name, to, kind), values in options.items():
        inner = "".join(f'<{"Label" if kind == "labels" else "Choice"} value="{value}"/>' for value in sorted(values))
        if kind == "ranker" and buckets:
            inner = "".join(f'<Bucket name="{place}"/>' for place in (1, 2, 3))
        region = ' perRegion="true"' if name.endswith("_remark") else ""
        most = ' maxRating="7"' if kind == "rating" else ""
        to = "response_0,response_1" if kind == "pairwise" else to
        tags.add(f'<{TAGS[kind]} name="{name}" toName="{to}"{region}{most}>{inner}</{TAGS[kind]}>')
    return "<View>" + "".join(sorted(tags)) + "</View>"


def check_label_studio(file):
    tasks = json.loads(file.read_text())
    assert len(tasks) == len(ANSWERS), len(tasks)
    for task in tasks:
        page = LabelInterface(config_of(task))
        for each in task["annotations"] + task["predictions"]:
            assert each["result"], task["id"]
            others = []
            for result in each["result"]:
                if result["type"] == "pairwise":  # its validator looks for an object of the name that its own regions have
                    made = json.loads(page.get_control(result["from_name"]).label(result["value"]["selected"]).to_json())
                    assert {key: made[key] for key in result} == result, (made, result)
                else:
                    others.append(result)
            errors = page.validate_prediction({"result": others}, return_errors=True)
            assert not errors, (task["id"], errors)


def main(rlhf):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in events()))
        run = lambda *words: subprocess.run([rlhf, "data", *map(str, words)], check=True)
        run("import", folder / "events.jsonl", "--store", folder / "a.db", "--form", "events")
        for tool, check in (("argilla", check_argilla), ("label_studio", check_label_studio)):
            file = folder / f"{tool}.json"
            run("export", "--store", folder / "a.db", "--to", tool, "--output", file)
            check(file)
            again = folder / f"{tool}-again.json"
            run("convert", file, "--form", tool, "--to", tool, "--output", again)
            assert json.loads(again.read_text()) == json.loads(file.read_text()), tool
            print(f"{tool}: {len(ANSWERS)} records")


main(sys.argv[1])
