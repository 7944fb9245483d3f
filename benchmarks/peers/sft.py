#!/usr/bin/env python3
"""Supervised fine-tuning with TRL's SFTTrainer: all weights, float32, 8 texts of 64 to 256 tokens a step.

TRL's defaults except what would change the work (bfloat16, early logging to hubs) and gradient checkpointing, which is off
because it only costs time here. Tokens are real ones; padding isn't counted.
"""
import tempfile
import time

import measure

options = measure.arguments(__doc__, texts_per_step=8, steps=6, warmup=3, packing=0, checkpointing=0)

import torch
from datasets import Dataset
from transformers import AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

texts = measure.workload(options)["texts"]
total = options.steps + options.warmup
texts = [texts[i % len(texts)] for i in range(total * options.texts_per_step)]


class Clock(TrainerCallback):
    def __init__(self):
        self.begins, self.ends = [], []

    def on_step_begin(self, *_, **__):
        self.begins.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.ends.append(time.perf_counter())


class InOrder(SFTTrainer):  # both sides see the same texts in the same steps
    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)


clock = Clock()
trainer = InOrder(
    model=measure.load_model(options), processing_class=AutoTokenizer.from_pretrained(options.model),
    train_dataset=Dataset.from_dict({"input_ids": texts}), callbacks=[clock],
    args=SFTConfig(output_dir=tempfile.mkdtemp(), per_device_train_batch_size=options.texts_per_step, max_steps=total,
                   packing=bool(options.packing), activation_checkpointing=bool(options.checkpointing), learning_rate=1e-5,
                   lr_scheduler_type="constant", bf16=False, fp16=False, use_cpu=True, report_to="none", save_strategy="no",
                   logging_steps=10**6, disable_tqdm=True, max_length=256 if options.packing else None,
                   dataloader_pin_memory=False))
trainer.train()
seconds = [end - begin for begin, end in zip(clock.begins, clock.ends)][options.warmup:]
rows = trainer.train_dataset["input_ids"]
batch = options.texts_per_step
tokens = [sum(len(row) for row in rows[step * batch:(step + 1) * batch]) for step in range(options.warmup, total)]
measure.report("sft", options, seconds, tokens, packing=bool(options.packing), checkpointing=bool(options.checkpointing))
