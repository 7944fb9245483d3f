#!/usr/bin/env python3
"""PAPERS.md is the index it says it is: every work of the list has a row with a known state, a row that says `working`
names a recipe that exists, and every recipe folder has a row."""
import pathlib
import re
import sys

STATES = {"planned", "working"}
# The list. A name that leaves it is a promise taken back.
NAMES = """
atari-prefs-and-demos coach deep-rl-from-human-preferences deep-tamer dynamic-planning-dialogue
fine-tuning-lms-from-human-preferences gophercite hh-assistant instructgpt learning-to-summarize nlpo-rl4lms quark
recursive-book-summaries recursive-reward-modeling red-teaming rl-for-nmt rm-overoptimization sparrow webgpt
environments feedback-interfaces rl-algorithms-for-control
lamda-rlhf-pytorch minrlhf modern-algorithms palm-rlhf-pytorch textrl trl trlx lm-human-preferences
summarize-from-feedback following-instructions-human-feedback rl4lms hh-rlhf
""".split()


def rows_of(page):
    """{name: [cells after the name]} of every table row that starts with a `name` in backquotes."""
    rows = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and re.fullmatch(r"`[\w.-]+`", cells[0]):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def faults_of(page, names, recipes):
    rows = rows_of(page)
    for name in names:
        if name not in rows:
            yield f"PAPERS.md has no row `{name}`"
    for name, cells in rows.items():
        state = next((s for s in STATES if s in cells), None)
        links = re.findall(r"\]\((recipes/[\w-]+)", " ".join(cells))
        if state is None:
            yield f"`{name}`: its row has no cell that is one of {sorted(STATES)}"
        if state == "working" and not links:
            yield f"`{name}`: a working row links to its recipe"
        for link in links:
            if link.split("/")[1] not in recipes:
                yield f"`{name}`: {link} does not exist"
    for recipe in recipes:
        if f"(recipes/{recipe}" not in page:
            yield f"recipes/{recipe} has no row in PAPERS.md"


def check_this_test():
    row = "| `a` | A paper | working | [r](recipes/r/README.md) |"
    assert not list(faults_of(row, ["a"], ["r"]))
    assert list(faults_of(row, ["a", "b"], ["r"])), "a missing row"
    assert list(faults_of(row, ["a"], [])), "a recipe that doesn't exist"
    assert list(faults_of(row, ["a"], ["r", "s"])), "a recipe without a row"
    assert list(faults_of("| `a` | A paper | soon |", ["a"], [])), "an unknown state"
    assert list(faults_of("| `a` | A paper | working |", ["a"], [])), "working without a recipe"


def main():
    check_this_test()
    root = pathlib.Path(__file__).resolve().parents[2]
    recipes = [p.name for p in sorted((root / "recipes").iterdir()) if p.is_dir() and (p / "recipe.cpp").exists()]
    page = (root / "PAPERS.md").read_text()
    faults = list(faults_of(page, NAMES, recipes))
    print("\n".join(faults + [f"{len(rows_of(page))} rows, {len(recipes)} recipes, {len(faults)} faults"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
