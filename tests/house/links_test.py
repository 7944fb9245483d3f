#!/usr/bin/env python3
"""Every relative link in every Markdown page leads to a file of the repository."""
import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def dead_links(page, text, exists):
    for target in LINK.findall(CODE.sub("", text)):
        path = target.split("#")[0]
        if path and "://" not in target and not target.startswith("mailto:") and not exists(page, path):
            yield f"{page}: links to {target}, which does not exist"


def main():
    assert list(dead_links("a.md", "[x](gone.md)", lambda *_: False))
    assert not list(dead_links("a.md", "[x](gone.md#part) `[y](no.md)` [z](https://example.com)", lambda *_: True))
    root = pathlib.Path(__file__).resolve().parents[2]
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=root, capture_output=True, text=True, check=True)
    pages = [p for p in listed.stdout.split("\n") if p and (root / p).is_file()]
    faults = [f for page in pages
              for f in dead_links(page, (root / page).read_text(), lambda page, path: (root / page).parent.joinpath(path).exists())]
    print("\n".join(faults + [f"{len(pages)} pages, {len(faults)} dead links"]))
    return 1 if faults or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
