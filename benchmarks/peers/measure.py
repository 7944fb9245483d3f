"""What every peer script shares: its arguments, the model and the one JSON line it prints."""
import argparse
import importlib.metadata
import json
import os
import pathlib
import resource
import statistics

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def arguments(description, **defaults):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", required=True, help="HF directory")
    parser.add_argument("--workload", required=True, help="JSON of make_workload.py: prompts and texts as token ids")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    for name, value in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    options = parser.parse_args()
    import torch
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    return options


def workload(options):
    return json.loads(pathlib.Path(options.workload).read_text())


def load_model(options, cls=None, **settings):
    import torch
    import transformers
    cls = cls or transformers.AutoModelForCausalLM
    return cls.from_pretrained(options.model, dtype=torch.float32, **settings)


def report(what, options, seconds, tokens, **more):
    """seconds: one entry a measured repeat or step; tokens: how many each of them handled (a number, or one an entry)."""
    tokens = tokens if isinstance(tokens, list) else [tokens] * len(seconds)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "trl")}
    print(json.dumps({
        "what": what, "engine": "peer", "tokens_per_second": sum(tokens) / sum(seconds),
        "seconds": statistics.median(seconds), "all_seconds": seconds, "tokens": tokens[0] if len(set(tokens)) == 1 else tokens,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "threads": options.threads,
        "versions": versions, **more}), flush=True)
