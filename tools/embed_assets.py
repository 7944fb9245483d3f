#!/usr/bin/env python3
"""Makes OUTPUT.S (the bytes of a folder's files) and OUTPUT.cpp (a table of them) for cmake/assets.cmake.

    embed_assets.py FOLDER NAME OUTPUT
"""
import gzip
import hashlib
import pathlib
import shutil
import subprocess
import sys

MIMES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".json": "application/json", ".webmanifest": "application/manifest+json", ".map": "application/json", ".txt": "text/plain; charset=utf-8",
         ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp", ".woff2": "font/woff2", ".wasm": "application/wasm"}
PACKED_ALREADY = {".png", ".webp", ".woff2"}


def compressed(path, content):
    """(gzip, brotli): empty where it saves less than a tenth, or the tool is not there."""
    if path.suffix in PACKED_ALREADY or len(content) < 256:
        return b"", b""
    packed = [gzip.compress(content, 9, mtime=0), b""]
    if shutil.which("brotli"):
        packed[1] = subprocess.run(["brotli", "--best", "--stdout", "-"], input=content, capture_output=True, check=True).stdout
    return tuple(form if len(form) < 0.9 * len(content) else b"" for form in packed)


def main():
    folder, name, output = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    bytes_folder = output.with_name(output.name + ".bytes")
    shutil.rmtree(bytes_folder, ignore_errors=True)
    bytes_folder.mkdir(parents=True)
    assembler = ['.section .rodata']
    declarations, rows, count = [], [], 0

    def embed(content):
        nonlocal count
        if not content:
            return "{}"
        symbol, file = f"rlhf_asset_{name}_{count}", bytes_folder / str(count)
        file.write_bytes(content)
        assembler.append(f'.global {symbol}\n.hidden {symbol}\n{symbol}:\n.incbin "{file}"')
        declarations.append(f'extern "C" const char {symbol}[];')
        count += 1
        return f"{{{symbol}, {len(content)}}}"

    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        etag = hashlib.sha256(content).hexdigest()[:16]
        packed = compressed(path, content)
        # What an older browser gets wrong by guessing, nosniff refuses: a file of an unknown kind is only downloaded.
        mime = MIMES.get(path.suffix, "application/octet-stream")
        rows.append(f'      {{"{path.relative_to(folder).as_posix()}", "{mime}", "\\"{etag}\\"", {embed(content)}, {embed(packed[0])}, {embed(packed[1])}}},')
    assembler.append('.section .note.GNU-stack,"",@progbits')
    output.with_suffix(".S").write_text("\n".join(assembler) + "\n")
    lines = "\n".join
    output.with_suffix(".cpp").write_text(
        f"#include <vector>\n\n#include \"rlhf/serving/assets.h\"\n\n{lines(declarations)}\n\n"
        f"const std::vector<rlhf::serving::Asset>& {name}() {{\n  static const std::vector<rlhf::serving::Asset> table = {{\n{lines(rows)}\n"
        f"  }};\n  return table;\n}}\n")


if __name__ == "__main__":
    main()
