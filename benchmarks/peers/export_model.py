#!/usr/bin/env python3
"""Writes the default GGUF model as a Hugging Face directory in float32, through transformers alone.

  export_model.py MODEL.gguf DIRECTORY

Both sides of a comparison load that directory, so that they compute with the same weights.
"""
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

gguf, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
for leftover in ("quantization_config", "_pre_quantization_dtype"):  # the weights are plain floats by now
    if hasattr(read.config, leftover):
        delattr(read.config, leftover)
model = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
model.load_state_dict(read.state_dict())
tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
temporary = directory.with_name(directory.name + ".new")
model.save_pretrained(temporary)
tokenizer.save_pretrained(temporary)
temporary.rename(directory)
print(directory)
