#!/usr/bin/env python3
"""Writes the one workload of all comparisons as token ids, so that both sides read the same numbers.

  make_workload.py --model HF_DIRECTORY --output workload.json [--corpus FILE_OR_FOLDER]

The corpus is any text (folders are read whole: .txt, .md, and the `text` fields of .jsonl); without one, the repository's
own pages. {"prompts": 32 x 32 ids, "texts": 256 lists of 64 to 256 ids}
"""
import argparse
import json
import pathlib
import random


def texts_of(path):
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix in (".txt", ".md"):
            yield file.read_text(errors="replace")
        elif file.suffix == ".jsonl":
            for line in file.open():
                row = json.loads(line)
                text = next((row[key] for key in ("text", "output", "completion", "review") if isinstance(row.get(key), str)), "")
                if text:
                    yield text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path)
    parser.add_argument("--texts", type=int, default=256)
    options = parser.parse_args()
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    root = pathlib.Path(__file__).resolve().parents[2]
    corpus = texts_of(options.corpus) if options.corpus else (p.read_text() for p in [root / "README.md", *sorted((root / "docs").rglob("*.md"))])
    wanted = options.texts * 256 + 32 * 32
    ids = []
    for text in corpus:
        ids += tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) >= 2 * wanted:
            break
    if not ids:
        raise SystemExit(f"make_workload: no text in {options.corpus}")
    ids *= -(-wanted // len(ids))  # a short corpus is read again; speed doesn't depend on the words
    random_lengths = random.Random(0)
    at, prompts, texts = 0, [], []
    for _ in range(32):
        prompts.append(ids[at:at + 32])
        at += 32
    for _ in range(options.texts):
        length = random_lengths.randint(64, 256)
        texts.append(ids[at:at + length])
        at += length
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({"prompts": prompts, "texts": texts}))
    print(f"{options.output}: {len(prompts)} prompts of 32 tokens, {len(texts)} texts, {sum(map(len, texts))} tokens")


if __name__ == "__main__":
    main()
