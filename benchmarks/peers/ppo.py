#!/usr/bin/env python3
"""One PPO step with TRL's PPOTrainer: 32 completions of 48 tokens, 4 epochs, all weights trained, float32.

As TRL has it, value and policy are two whole models, and so is the frozen reference. The reward is a function of the token
ids that costs nothing, put into the shape of a reward model, since TRL takes no function here.
"""
import tempfile
import time

import measure

options = measure.arguments(__doc__, completions=32, new_tokens=48, epochs=4, minibatches=1, microbatch=8, steps=3, warmup=1)

import torch
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl.experimental.ppo import PPOConfig, PPOTrainer

prompts = measure.workload(options)["prompts"]
total = options.steps + options.warmup
prompts = [prompts[i % len(prompts)] for i in range(total * options.completions)]


class EvenIds(torch.nn.Module):
    """Score: 1 where the last token's id is even. Looks like a model, since TRL scores with `backbone` and `score`."""
    base_model_prefix = "backbone"

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def backbone(self, input_ids, **_):
        class Output:
            hidden_states = [(1 - input_ids % 2).float().unsqueeze(-1)]
        return Output

    def score(self, hidden):
        return hidden


class Clock(TrainerCallback):
    def __init__(self):
        self.at = []

    def on_train_begin(self, *_, **__):
        self.at.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.at.append(time.perf_counter())


clock = Clock()
tokenizer = AutoTokenizer.from_pretrained(options.model, padding_side="left")
policy = measure.load_model(options)
value = measure.load_model(options, AutoModelForSequenceClassification, num_labels=1)
data = Dataset.from_dict({"input_ids": prompts})
trainer = PPOTrainer(
    args=PPOConfig(output_dir=tempfile.mkdtemp(), per_device_train_batch_size=options.microbatch,
                   gradient_accumulation_steps=options.completions // options.microbatch, num_mini_batches=options.minibatches,
                   num_ppo_epochs=options.epochs, total_episodes=total * options.completions,
                   response_length=options.new_tokens, temperature=1.0, local_rollout_forward_batch_size=options.completions,
                   num_sample_generations=0, learning_rate=1e-6, kl_coef=0.05, bf16=False, fp16=False, use_cpu=True,
                   gradient_checkpointing=False, report_to="none", save_strategy="no", disable_tqdm=True,
                   logging_steps=10**6, dataloader_pin_memory=False),
    processing_class=tokenizer, model=policy, ref_model=None, reward_model=EvenIds(), value_model=value,
    train_dataset=data, eval_dataset=data.select(range(min(8, len(data)))), callbacks=[clock])
trainer.train()
seconds = [b - a for a, b in zip(clock.at, clock.at[1:])][options.warmup:]
trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
measure.report("ppo", options, seconds, options.completions * options.new_tokens, epochs=options.epochs,
               trained_parameters=trained)
