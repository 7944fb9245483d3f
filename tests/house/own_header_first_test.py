#!/usr/bin/env python3
"""Every header compiles alone: name.cpp includes name.h before anything else, so its compilation is the proof.

Headers without a .cpp of their own are compiled alone by the target `headers_alone` (CMakeLists.txt beside this file).
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def fault_of(path, text):
    own = path.removesuffix(".cpp") + ".h"
    first = INCLUDE.search(text)
    if first is None or first.group(1) != own:
        return f'{path}: includes {first.group(1) if first else "nothing"} first; put #include "{own}" before it'


def main():
    assert fault_of("rlhf/core/a.cpp", '#include <vector>\n#include "rlhf/core/a.h"\n')
    assert fault_of("rlhf/core/a.cpp", "int a;\n")
    assert not fault_of("rlhf/core/a.cpp", '// why\n#include "rlhf/core/a.h"\n#include <vector>\n')
    root = pathlib.Path(__file__).resolve().parents[2]
    sources = [p for p in sorted((root / "rlhf").rglob("*.cpp")) if p.with_suffix(".h").exists()]
    faults = [f for p in sources if (f := fault_of(str(p.relative_to(root)), p.read_text()))]
    bare = [f"{p.relative_to(root)}: lacks #pragma once" for p in sorted((root / "rlhf").rglob("*.h")) if "#pragma once" not in p.read_text()]
    print("\n".join(faults + bare + [f"{len(sources)} sources with a header, {len(faults + bare)} faults"]))
    return 1 if faults or bare or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
