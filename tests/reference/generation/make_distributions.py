"""Filtered next-token distributions from transformers' own logits processors -> distributions.json.

    python tests/reference/generation/make_distributions.py     (torch 2.15, transformers 5.23)
"""
import json
import pathlib

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper,
    TopPLogitsWarper)

VOCABULARY = 700  # two whole blocks of the sampler's 256 and a part of one


def processors(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0):
    """In the order of GenerationMixin._get_logits_processor."""
    chain = LogitsProcessorList()
    if repetition_penalty != 1.0:
        chain.append(RepetitionPenaltyLogitsProcessor(repetition_penalty))
    if temperature != 1.0:
        chain.append(TemperatureLogitsWarper(temperature))
    if top_k:
        chain.append(TopKLogitsWarper(top_k))
    if top_p < 1.0:
        chain.append(TopPLogitsWarper(top_p))
    if min_p > 0.0:
        chain.append(MinPLogitsWarper(min_p))
    return chain


CASES = [
    {}, {"temperature": 0.7}, {"temperature": 1.8}, {"top_k": 1}, {"top_k": 5}, {"top_k": 600}, {"top_p": 0.1}, {"top_p": 0.9},
    {"top_p": 0.999}, {"min_p": 0.05}, {"repetition_penalty": 1.3}, {"repetition_penalty": 0.8},
    {"temperature": 0.6, "top_k": 50, "top_p": 0.95}, {"temperature": 1.5, "top_p": 0.9, "min_p": 0.02},
    {"temperature": 2.0, "top_k": 20, "top_p": 0.8, "min_p": 0.1, "repetition_penalty": 1.2},
]


def main():
    generator = torch.Generator().manual_seed(5)
    rows = []
    for scale in (1.0, 4.0):
        logits = (torch.randn(VOCABULARY, generator=generator) * scale).mul(1000).round().div(1000)
        seen = torch.randint(0, VOCABULARY, (12,), generator=generator).tolist() + [int(logits.argmax())] * 2
        cases = []
        for case in CASES:
            # In double precision, so that the edge of a filter does not hang on the rounding of a float sum.
            scores = processors(**case)(torch.tensor([seen]), logits.double()[None])
            logprobs = scores.log_softmax(-1)[0]
            kept = torch.isfinite(logprobs).nonzero()[:, 0].tolist()
            # All ids are listed for small sets, a few for large ones; their number is always there.
            shown = kept if len(kept) <= 60 else kept[::25]
            cases.append({"config": case, "kept": len(kept),
                          "logprobs": {str(i): round(logprobs[i].item(), 8) for i in shown}})
        rows.append({"logits": [round(v, 3) for v in logits.tolist()], "seen": seen, "cases": cases})
    pathlib.Path(__file__).with_name("distributions.json").write_text(json.dumps(rows) + "\n")


main()
