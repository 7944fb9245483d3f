"""Loads an exported model with transformers and compares it with what rlhf computed.

    python check_export.py MODEL ANSWERS.json

MODEL         a Hugging Face folder, or a .gguf file
ANSWERS.json  {"inputs": [[ids]], "greedy": [[ids]]} and, optionally, "top_logits": [[last position's largest logits]]
Exit code 0 if every greedy continuation agrees.
"""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM


def load(path):
    if path.suffix == ".gguf":
        return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    model, report = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report.get(kind):
            sys.exit(f"{kind}: {report[kind]}")
    return model


def main():
    model = load(pathlib.Path(sys.argv[1])).eval()
    answers = json.loads(pathlib.Path(sys.argv[2]).read_text())
    wrong = 0
    for index, (ids, expected) in enumerate(zip(answers["inputs"], answers["greedy"])):
        found = list(ids)
        for _ in expected:
            with torch.no_grad():
                logits = model(torch.tensor([found])).logits[0, -1]
            if len(found) == len(ids) and "top_logits" in answers:
                reference = torch.tensor(answers["top_logits"][index])
                print("largest difference of the top logits:", (logits.topk(len(reference)).values - reference).abs().max().item())
            found.append(int(logits.argmax()))
        if found[len(ids):] != expected:
            wrong += 1
            print(f"input {index}: expected {expected}, transformers continues {found[len(ids):]}")
    print(f"{len(answers['inputs']) - wrong} of {len(answers['inputs'])} continuations agree")
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
