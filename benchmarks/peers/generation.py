#!/usr/bin/env python3
"""Generation with transformers: 32 prompts of 32 tokens, 64 new ones each, sampled from the whole vocabulary."""
import time

import measure

options = measure.arguments(__doc__, prompts=32, new_tokens=64, repeats=3)

import torch

prompts = torch.tensor(measure.workload(options)["prompts"][:options.prompts])
model = measure.load_model(options).eval()
model.generation_config.eos_token_id = None  # nobody stops early: the amount of work is fixed
model.generation_config.pad_token_id = 0


def generate(new_tokens):
    start = time.perf_counter()
    with torch.inference_mode():
        out = model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=True, top_k=0, top_p=1.0,
                             temperature=1.0, max_new_tokens=new_tokens)
    assert out.shape[1] == prompts.shape[1] + new_tokens
    return time.perf_counter() - start


generate(min(8, options.new_tokens))  # warm-up
generate(options.new_tokens)
seconds = [generate(options.new_tokens) for _ in range(options.repeats)]
measure.report("generation", options, seconds, options.prompts * options.new_tokens)
