#!/usr/bin/env python3
"""Arrows go one way: a folder includes only folders to its left (docs/design.md, "The tree").

Reads every #include "..." of the product and reports each one that points backwards or between strangers. Before that
it checks itself: a made-up tree with one wrong arrow of each sort has to be caught.
"""
import pathlib
import re
import sys

# What each folder may include besides itself and everything to its left. Folders of one inner list are strangers.
LEVELS = [
    ["rlhf/core"],
    ["rlhf/text", "rlhf/distributed"],
    ["rlhf/data"],
    ["rlhf/feedback", "rlhf/environments"],
    ["rlhf/models"],
    ["rlhf/generation"],
    ["rlhf/rewards"],
    ["rlhf/algorithms", "rlhf/evaluation"],
    ["rlhf/control"],
    ["rlhf/serving"],
    ["recipes"],
    ["app"],
]
LEVEL_OF = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def module_of(path):
    """'rlhf/core/error.h' -> 'rlhf/core', 'recipes/x/recipe.cpp' -> 'recipes', anything else -> None."""
    parts = path.split("/")
    name = "/".join(parts[:2]) if parts[0] == "rlhf" else parts[0]
    return name if len(parts) > 1 and name in LEVEL_OF else None


def wrong_arrows(sources, exists):
    """sources: (path, text) pairs; exists: does a path of the tree exist? Yields one sentence a fault."""
    for path, text in sources:
        own = module_of(path)
        if own is None:
            yield f"{path}: lies in no folder that design.md names; add its folder to LEVELS in this test"
            continue
        for included in INCLUDE.findall(text):
            theirs = module_of(included)
            if theirs is None:
                if not included.startswith(("rlhf_text.h", "rlhf_rust.h", "generated/")):
                    yield f'{path}: includes "{included}"; write the path from the repository root'
                continue
            if not exists(included):
                yield f'{path}: includes "{included}", which does not exist'
            if theirs != own and LEVEL_OF[theirs] >= LEVEL_OF[own]:
                yield f'{path}: includes "{included}", but {theirs} is not to the left of {own}'
            if theirs != own and "/detail/" in included:
                yield f'{path}: includes "{included}", which is private to {theirs}'


def check_this_test():
    made_up = [
        ("rlhf/core/a.cpp", '#include "rlhf/data/prompt.h"\n'),         # points backwards
        ("rlhf/algorithms/b.cpp", '#include "rlhf/evaluation/c.h"\n'),  # strangers
        ("rlhf/data/d.cpp", '#include "tokens.h"\n'),                   # not from the root
        ("rlhf/data/e.cpp", '#include "rlhf/core/detail/f.h"\n'),       # another folder's private header
        ("rlhf/utils/g.cpp", ""),                                       # a folder nobody planned
    ]
    right = [("app/main.cpp", '#include "rlhf/core/error.h"\n#include <vector>\n'),
             ("rlhf/data/h.cpp", '#include "rlhf/data/detail/i.h"\n')]
    caught = list(wrong_arrows(made_up, lambda path: True))
    assert len(caught) == len(made_up), caught
    assert list(wrong_arrows(right, lambda path: True)) == []
    assert list(wrong_arrows(right, lambda path: False)) != []


def main():
    check_this_test()
    root = pathlib.Path(__file__).resolve().parents[2]
    files = [p for top in ("rlhf", "recipes", "app") for p in sorted((root / top).rglob("*")) if p.suffix in (".h", ".cpp")]
    sources = [(str(p.relative_to(root)), p.read_text()) for p in files]
    faults = list(wrong_arrows(sources, lambda path: (root / path).exists()))
    for fault in faults:
        print(fault)
    print(f"{len(files)} files, {len(faults)} wrong includes")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
