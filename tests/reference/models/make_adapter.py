"""A PEFT adapter on the tiny model llama_tied, with the logits that PEFT computes; rank_pattern, alpha_pattern and rslora in use.

    python make_adapter.py      # writes adapter_llama_tied/ beside itself
"""
import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent


def main():
    torch.manual_seed(5)
    base = AutoModelForCausalLM.from_pretrained(HERE / "llama_tied", dtype=torch.float32, attn_implementation="eager")
    config = LoraConfig(r=3, lora_alpha=6, target_modules=r".*\.(q_proj|v_proj|down_proj)", use_rslora=True, task_type="CAUSAL_LM",
                        rank_pattern={"down_proj": 5}, alpha_pattern={r"layers\.1\.self_attn\.q_proj": 9}, lora_dropout=0.1)
    model = get_peft_model(base, config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
    folder = HERE / "adapter_llama_tied"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    description = json.loads(path.read_text())
    description["base_model_name_or_path"] = "../llama_tied"
    path.write_text(json.dumps(description, indent=2) + "\n")
    inputs = json.loads((HERE / "llama_tied/golden.json").read_text())["inputs"]
    with torch.no_grad():
        logits = {f"logits.{i}": model(torch.tensor([ids])).logits[0].contiguous() for i, ids in enumerate(inputs)}
    save_file(logits, folder / "golden.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)
    print(path.read_text(), [f.name for f in folder.iterdir()])


if __name__ == "__main__":
    main()
