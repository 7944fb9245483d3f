"""Tiny random models of every family, with the logits and greedy continuations that transformers computes for them.

Between them they hold what loaders meet: tied and untied heads, stored in float32 and bfloat16 (qwen3), in one file and
in shards (qwen2), config.json of both generations (llama_rope_linear has torch_dtype, rope_theta and rope_scaling).

    python make_tiny_models.py            # writes <name>/{config.json, model.safetensors, tokenizer.json, golden.*} beside itself

golden.json         inputs: ragged token ids; greedy: for each input the next 12 ids under argmax
golden.safetensors  logits.<i> [tokens of input i, vocabulary], float32
"""
import copy
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
                          PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

HERE = pathlib.Path(__file__).parent
VOCABULARY = 264
INPUTS = [[3, 17, 99, 150, 42], [7], [200, 1, 1, 60, 61, 62, 63, 199, 5, 120, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
          [101, 35, 35, 77, 180, 9, 222, 90, 2, 41, 263]]

shared = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=128, bos_token_id=256, eos_token_id=257, pad_token_id=258,
              initializer_range=0.3, rms_norm_eps=1e-5)


def with_(**changes):
    return {**shared, **changes}


MODELS = {
    "llama_tied": (LlamaForCausalLM, LlamaConfig(**with_(tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))),
    "llama_untied": (LlamaForCausalLM, LlamaConfig(**with_(tie_word_embeddings=False, head_dim=16, rope_parameters={"rope_type": "default", "rope_theta": 100000.0}))),
    "llama_rope_llama3": (LlamaForCausalLM, LlamaConfig(**with_(
        tie_word_embeddings=True, head_dim=32, num_attention_heads=2, num_key_value_heads=1,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 16}))),
    "llama_rope_linear": (LlamaForCausalLM, LlamaConfig(**with_(
        tie_word_embeddings=True, attention_bias=True, mlp_bias=True, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}))),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**with_(tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}))),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**with_(tie_word_embeddings=False, head_dim=16, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}))),
    "mistral": (MistralForCausalLM, MistralConfig(**with_(tie_word_embeddings=False, sliding_window=6, head_dim=8, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))),
    "gpt2": (GPT2LMHeadModel, GPT2Config(vocab_size=VOCABULARY, n_positions=64, n_embd=32, n_layer=2, n_head=4,
                                         bos_token_id=257, eos_token_id=257, initializer_range=0.3)),
}


def byte_tokenizer():
    """256 bytes and 8 special tokens: nothing to train, loads everywhere."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode
    vocabulary = {symbol: byte for byte, symbol in bytes_to_unicode().items()}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|begin|>", "<|end|>", "<|pad|>", "<|im_start|>", "<|im_end|>", "<|a|>", "<|b|>", "<|c|>"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>")


def randomise(model):
    """Norm weights away from 1 and biases away from 0, so that a forgotten one shows."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name or ".ln_" in name or name.endswith("bias"):
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))


CHAT = ("{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def to_old_generation(folder):
    """config.json as transformers 4 wrote it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["torch_dtype"] = config.pop("dtype")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = {"type": rope["rope_type"], "factor": rope["factor"]}
    config["transformers_version"] = "4.40.0"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def greedy(model, ids, count=12):
    ids = list(ids)
    for _ in range(count):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[-count:]


def main():
    for index, (name, (family, config)) in enumerate(MODELS.items()):
        torch.manual_seed(1000 + index)
        config._attn_implementation = "eager"
        model = family(config).eval().float()
        randomise(model)
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        stored = model
        if name == "qwen3":
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.copy_(parameter.bfloat16())
            stored = copy.deepcopy(model).bfloat16()
        stored.save_pretrained(folder, max_shard_size="50KB" if name == "qwen2" else "1GB")
        tokenizer = byte_tokenizer()
        if name == "llama_tied":
            tokenizer.chat_template = CHAT
        tokenizer.save_pretrained(folder)
        if name == "llama_rope_linear":
            to_old_generation(folder)
        logits = {}
        for i, ids in enumerate(INPUTS):
            with torch.no_grad():
                logits[f"logits.{i}"] = model(torch.tensor([ids])).logits[0].contiguous()
        save_file(logits, folder / "golden.safetensors")
        answers = {"inputs": INPUTS, "greedy": [greedy(model, ids) for ids in INPUTS]}
        (folder / "golden.json").write_text(json.dumps(answers) + "\n")
        for file in folder.iterdir():
            file.chmod(0o644)
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{name}: {size / 1024:.0f} KiB, logits sd {torch.cat(list(logits.values())).std():.2f}", answers["greedy"][0])


if __name__ == "__main__":
    main()
