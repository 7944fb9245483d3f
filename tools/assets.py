#!/usr/bin/env python3
"""Turns a folder of built pages into assets.S and assets.cpp (see cmake/assets.cmake).

    tools/assets.py web/dist build/release/app/assets
"""
import gzip
import hashlib
import pathlib
import sys

MIME = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json", ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    assembler, externs, rows = ['.section .rodata, "a", %progbits'], [], []
    for number, file in enumerate(sorted(each for each in source.rglob("*") if each.is_file())):
        content = file.read_bytes()
        packed = gzip.compress(content, 9, mtime=0)
        small = target / f"{number}.gz"
        forms = {"plain": file}
        if len(packed) < 0.9 * len(content):
            small.write_bytes(packed)
            forms["gzip"] = small
        views = {}
        for form, path in forms.items():
            name = f"rlhf_asset_{number}_{form}"
            assembler += [f".global {name}, {name}_end", ".balign 16", f"{name}: .incbin \"{path.resolve()}\"", f"{name}_end: .byte 0"]
            externs.append(f"extern const char {name}[], {name}_end[];")
            views[form] = f"std::string_view({name}, static_cast<std::size_t>({name}_end - {name}))"
        etag = hashlib.sha256(content).hexdigest()[:16]
        mime = MIME.get(file.suffix, "application/octet-stream")
        rows.append(f'      {{"{file.relative_to(source).as_posix()}", "{mime}", "\\"{etag}\\"", {views["plain"]}, {views.get("gzip", "{}")}, {{}}}},')
    assembler.append('.section .note.GNU-stack, "", %progbits')
    (target / "assets.S").write_text("\n".join(assembler) + "\n")
    (target / "assets.cpp").write_text(
        "// Made by tools/assets.py.\n#include \"app/built_in_pages.h\"\n\nextern \"C\" {\n" + "\n".join(externs) +
        "\n}\n\nnamespace rlhf::app {\n\nstd::span<const serving::Asset> built_in_pages() {\n  static const serving::Asset table[] = {\n" +
        "\n".join(rows) + "\n  };\n  return table;\n}\n\n}  // namespace rlhf::app\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
