"""Logits and greedy continuations of SmolLM2-135M-Instruct, read from its GGUF file by transformers and computed in float64
(in float32 its own logits are up to 1e-4 away from these).

    python make_smollm2_golden.py [FILE.gguf]       # writes smollm2_135m.json beside itself

Token ids go in and come out: transformers' own conversion of the GGUF tokenizer is not used.
"""
import json
import os
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
DEFAULT = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / \
    "rlhf.cpp/models/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf"

# "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n" and other plausible and odd sequences.
SEQUENCES = [
    [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198],
    [504, 2365, 28, 338, 253, 1165],
    [17, 33, 40000, 12345, 49151, 0, 2, 2, 1000, 1001, 1002, 999, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [28],
]
GREEDY = [0, 1]
STRIDE = 997  # of the flattened [tokens, vocabulary] logits


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).double().eval()
    out = {"stride": STRIDE, "sequences": []}
    for index, ids in enumerate(SEQUENCES):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        top = logits[-1].topk(20)
        every = STRIDE * max(1, len(ids) // 2)
        record = {"ids": ids, "top_ids": top.indices.tolist(), "top_logits": top.values.tolist(), "stride": every,
                  "strided_logits": logits.flatten()[::every].tolist(), "mean": logits.mean().item(), "sd": logits.std().item()}
        if index in GREEDY:
            answer = list(ids)
            for _ in range(24):
                with torch.no_grad():
                    answer.append(int(model(torch.tensor([answer])).logits[0, -1].argmax()))
            record["greedy"] = answer[len(ids):]
        out["sequences"].append(record)
    del out["stride"]
    text = json.dumps(out, indent=None, separators=(",", ":"))
    (HERE / "smollm2_135m.json").write_text(text + "\n")
    print(len(text), [r.get("greedy") for r in out["sequences"]])


if __name__ == "__main__":
    main()
