"""What is exported for TRL loads in `datasets`, trains in TRL, and means the same tokens there as here.

usage: trl_exports.py RLHF

Preferences, ratings and demonstrations go into a store and come out as every type that TRL knows: once as texts, once as turns.
Each file is loaded, tokenised and trained on for two steps by TRL, with a tiny random model of SmolLM2's shape and with its real
tokenizer. Needs the Python environment that benchmarks/peers/setup makes; exits with 77 (skipped) where it is absent.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "rlhf.cpp"
PYTHON = CACHE / "peers" / "bin" / "python"
FOLDER, GGUF = CACHE / "models" / "smollm2-135m-hf", CACHE / "models" / "smollm2-135m"
PAIRS, RATINGS, DEMONSTRATIONS = 6, 7, 5  # all different, so that no count is right by accident

# --- a store, and what is exported from it ---------------------------------------------------------------------------------------


def turns(text, role):
    return [{"role": role, "content": text}]


def sources(conversational):
    """Rows of three types, as texts or as turns. Completions begin with a space, so that no token reaches over the boundary."""
    ask = (lambda text: turns("Be brief.", "system") + turns(text, "user")) if conversational else (lambda text: text)
    say = (lambda text: turns(text, "assistant")) if conversational else (lambda text: " " + text)
    yield "trl", [{"prompt": ask(f"What is {i} and {i}? Ünïcode 😀"), "chosen": say(f"It is {2 * i}."), "rejected": say(f"It is {3 * i + 1}.")}
                  for i in range(PAIRS)]
    yield "trl_unpaired", [{"prompt": ask(f"Name fruit number {i}."), "completion": say(f"Fruit {i}"), "label": i % 2 == 0} for i in range(RATINGS)]
    yield "trl_completions", [{"prompt": ask(f"Tell a story of {i} words."), "completion": say(f"Once upon a time {i}\nthe end.")}
                              for i in range(DEMONSTRATIONS)]


EXPECTED = {"trl": PAIRS, "trl_unpaired": RATINGS + 2 * PAIRS, "trl_completions": DEMONSTRATIONS, "trl_messages": DEMONSTRATIONS,
            "trl_prompts": PAIRS + RATINGS + DEMONSTRATIONS, "trl_stepwise": 3}


def steps_log():
    """Three questions whose items are steps, judged one by one, as the log tells it."""
    form = {"name": "steps", "title": "Steps", "instruction": "Judge each step.", "media": "text", "least_items": 1, "most_items": 9,
            "parts": [{"name": "right", "ask": "judge_rules", "label": "Is it right?", "rules": [{"name": "right", "text": "Follows"}]}]}
    for i in range(3):
        items = [{"text": f"Step {k} of {i}.", "ids": [], "policy_version": 0, "sample": k} for k in range(2 + i)]
        question = {"version": 2, "id": f"steps-{i}", "form": form, "items": items, "shown": list(range(len(items))), "split": "train",
                    "prompt": {"id": f"steps-{i}", "text": f"Solve {i}.", "messages": [], "ids": []}, "answers": 1, "guideline": ""}
        said = {"kind": "rule_judgement", "entries": [{"item": k, "rule": "right", "verdict": "breach" if k else "ok"} for k in range(len(items))]}
        for sequence, kind, body in ((2 * i + 1, "question", question), (2 * i + 2, "answer", {"version": 2, "said": said})):
            yield {"sequence": sequence, "kind": kind, "question": question["id"], "annotator": "ann", "source": "human",
                   "guideline": "", "asked_at": 1000.0 + i, "answered_at": 1001.0 + i, "body": body}


def write_rows(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def program(rlhf, *words):
    done = subprocess.run([rlhf, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{words}: exit code {done.returncode}\n{done.stderr}"
    return done.stdout


def exports(rlhf, folder, conversational):
    folder.mkdir()
    store = str(folder / "feedback.db")
    for form, rows in sources(conversational):
        program(rlhf, "data", "import", write_rows(folder / f"in-{form}.jsonl", rows), "--store", store, "--form", form)
    steps = str(folder / "steps.db")
    program(rlhf, "data", "import", write_rows(folder / "steps.jsonl", steps_log()), "--store", steps, "--form", "events")
    for name in EXPECTED:
        file = folder / f"{name}.jsonl"
        program(rlhf, "data", "export", "--store", steps if name == "trl_stepwise" else store, "--to", name, "--output", str(file))
        yield name, file


# --- TRL's side ------------------------------------------------------------------------------------------------------------------


def tiny_model(folder):
    """SmolLM2's architecture, small and random, with its real tokenizer and chat template."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    read = (str(FOLDER), {}) if FOLDER.is_dir() else (str(GGUF), {"gguf_file": next(GGUF.glob("*.gguf")).name})
    tokenizer = AutoTokenizer.from_pretrained(read[0], **read[1])
    config = AutoConfig.from_pretrained(read[0], **read[1])
    config.update({"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                   "head_dim": 8, "_name_or_path": ""})
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def trainer_for(name, kind, model, data, scratch):
    import trl
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
    usual = dict(output_dir=str(scratch / f"run-{kind}"), max_steps=2, per_device_train_batch_size=2, use_cpu=True, bf16=False, fp16=False,
                 report_to="none", save_strategy="no", logging_steps=1, disable_tqdm=True, dataloader_pin_memory=False)
    tokenizer = AutoTokenizer.from_pretrained(model)
    if kind == "Reward":
        policy = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1)
    else:
        policy = AutoModelForCausalLM.from_pretrained(model)
    extra = {"processing_class": tokenizer}
    if kind in ("GRPO", "RLOO"):
        usual |= {"num_generations": 2, "max_completion_length": 8}
        extra["reward_funcs"] = lambda completions, **_: [float(i % 2) for i in range(len(completions))]
    return getattr(trl, kind + "Trainer")(model=policy, args=getattr(trl, kind + "Config")(**usual), train_dataset=data, **extra)


TRAINERS = {"trl": ("Reward", "DPO"), "trl_unpaired": ("KTO",), "trl_completions": ("SFT",), "trl_messages": ("SFT",),
            "trl_prompts": ("GRPO", "RLOO"), "trl_stepwise": ()}


def trl_tokens(kind, trainer, row):
    """The first row as the trainer will see it: pieces in our order."""
    data = trainer.train_dataset
    if kind == "Reward":
        return [data[0]["chosen_ids"], data[0]["rejected_ids"]]
    if kind == "DPO":
        return [data[0]["prompt_ids"] + data[0][side] for side in ("chosen_ids", "rejected_ids")]
    if kind == "KTO":
        return [data[0]["prompt_ids"] + data[0]["completion_ids"]]
    if kind == "SFT":
        return [data[0]["input_ids"]]
    tokenizer = trainer.processing_class
    if isinstance(row["prompt"], str):
        return [tokenizer(row["prompt"])["input_ids"]]
    return [tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"]]


def our_tokens(rlhf, model, file, paired):
    """The same of `rlhf inspect data`: prompt and each completion."""
    report = json.loads(program(rlhf, "--json", "inspect", "data", str(file), "--model", model, "--rows", "1"))
    ids, mask = report["shown"][0]["ids"], report["shown"][0]["mask"]
    if not paired:
        return [ids]
    prompt, both = ids[:mask.index(1)], ids[mask.index(1):]
    end = both.index(2) + 1  # <|im_end|> stops the first completion
    return [prompt + both[:end], prompt + both[end:]]


def same(theirs, ours, line_break):
    """Equal, but that TRL goes on to learn the line break which the template writes after the end of a turn."""
    return theirs == ours or theirs == ours + [line_break]


def check(rlhf, name, file, model, scratch):
    from datasets import load_dataset
    from transformers import AutoTokenizer
    data = load_dataset("json", data_files=str(file), split="train", cache_dir=str(scratch / "datasets"))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(data) == len(rows) == EXPECTED[name], f"{file}: {len(data)} rows loaded, {EXPECTED[name]} expected"
    assert all(data[i] == rows[i] for i in range(len(rows))), f"{file}: a row is another one after loading"
    line_break = AutoTokenizer.from_pretrained(model)("\n")["input_ids"][0]
    for kind in TRAINERS[name]:
        trainer = trainer_for(name, kind, model, data, scratch)
        if kind not in ("GRPO", "RLOO", "KTO"):  # KTO adds nothing, but takes whole batches
            assert len(trainer.train_dataset) == len(rows), f"{kind} dropped rows of {file}"
        theirs, ours = trl_tokens(kind, trainer, rows[0]), our_tokens(rlhf, model, file, name == "trl")
        assert len(theirs) == len(ours) and all(map(lambda a, b: same(a, b, line_break), theirs, ours)), f"{kind} {file}\n{theirs}\n{ours}"
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        assert len(losses) == 2 and all(map(math.isfinite, losses)), f"{kind} on {file}: losses {losses}"
        print(f"{file.parent.name} {name}: {len(rows)} rows, {len(ours[0])} tokens in the first, {kind} losses {losses}", flush=True)


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        model = tiny_model(scratch / "model")
        for conversational in (False, True):
            for name, file in list(exports(rlhf, scratch / ("turns" if conversational else "texts"), conversational)):
                check(rlhf, name, file, model, scratch)
    print("every type loads and trains in TRL")


if __name__ == "__main__":
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    if not PYTHON.exists() or not (FOLDER.is_dir() or any(GGUF.glob("*.gguf"))):
        print("skipped: the Python environment of benchmarks/peers/setup, or the default model, is not there")
        sys.exit(77)
    if pathlib.Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    main(sys.argv[1])
