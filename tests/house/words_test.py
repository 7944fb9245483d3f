#!/usr/bin/env python3
"""Nothing in the repository depends on where somebody's machine keeps things.

No absolute path of a machine, nothing read from outside the checkout except by tests, no name of a package host (the
package clients know theirs), and no folder called utils, common or misc.
"""
import pathlib
import re
import subprocess
import sys

# Written in pieces, so that this file doesn't find itself.
EVERYWHERE = {
    "a machine's path": re.compile(r"(?<![\w./])/(?:" + "work|home/\\w+|root" + r")/(?!\*)"),
    "a package host": re.compile("py" + r"pi\.org|python" + "hosted|crates\." + r"io\b|deb\.debian\." + "org|npmjs\\." + "(?:org|com)"),
}
PRODUCT_ONLY = {"something outside the checkout": re.compile(r"\.\./" + "shared")}
PRODUCT = ("rlhf/", "app/", "recipes/", "rust/", "cmake/", "tools/", "examples/")
NO_FOLDER = re.compile(r"(?:^|/)(?:utils?|common|misc|helpers?)(?:/|\.)")
GENERATED = ("rust/Cargo.lock",)  # names where a crate comes from, in the package client's own words


def faults_of(path, text):
    rules = dict(EVERYWHERE, **(PRODUCT_ONLY if path.startswith(PRODUCT) else {}))
    for name, pattern in rules.items():
        for match in pattern.finditer(text):
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: names {name}: {match.group(0)}"
    if NO_FOLDER.search(path):
        yield f"{path}: a file or folder is named after what it does, not utils, common, misc or helper"


def check_this_test():
    wrong = [("a.cpp", 'open("/ro' + 'ot/x")'), ("b.md", "see py" + "pi.org"), ("rlhf/c.cpp", "../sha" + "red/data"), ("rlhf/utils/d.h", "")]
    for path, text in wrong:
        assert list(faults_of(path, text)), path
    assert not list(faults_of("tests/e.cpp", 'RLHF_SOURCE_DIR "/../sha' + 'red/data"'))


def main():
    check_this_test()
    root = pathlib.Path(__file__).resolve().parents[2]
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True)
    faults, count = [], 0
    for path in listed.stdout.split("\n"):
        file = root / path
        if not path or path in GENERATED or not file.is_file() or file.stat().st_size > 1_000_000:
            continue
        try:
            faults += faults_of(path, file.read_text())
            count += 1
        except UnicodeDecodeError:
            pass
    print("\n".join(faults + [f"{count} files, {len(faults)} faults"]))
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
