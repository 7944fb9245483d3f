"""Thirty-odd kinds of bad input, each through the real program: one paragraph that says where, what and how to fix it, and
the exit code of its kind. No case may crash, hang, or leave a Python-style trace.

usage: bad_input.py RLHF SOURCE_DIR
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

USAGE, BAD_DATA, RESOURCE, CHECK = 2, 3, 4, 5


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


class Cases:
    def __init__(self, rlhf, source, scratch):
        self.rlhf, self.scratch = rlhf, scratch
        self.good = source / "tests/reference/models/llama_tied"
        self.failures, self.count = [], 0

    def model(self, name, change):
        """A copy of the good model with something wrong in it."""
        folder = self.scratch / name
        shutil.copytree(self.good, folder)
        change(folder)
        return str(folder)

    def expect(self, name, code, says, *arguments, stdin="", limits=None):
        self.count += 1
        done = subprocess.run([self.rlhf, "--threads", "1", *arguments], input=stdin, capture_output=True, text=True,
                              timeout=120, preexec_fn=limits, env={**os.environ, "NO_COLOR": "1"})
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        problems = []
        if done.returncode != code:
            problems.append(f"exit code {done.returncode}, expected {code}")
        if len(errors) != 1:
            problems.append(f"{len(errors)} error paragraphs, expected 1")
        elif not all(word.lower() in errors[0].lower() for word in says):
            problems.append(f"the message lacks one of {says}")
        if "terminate called" in done.stderr or "frame #" in done.stderr:
            problems.append("a crash or a stack trace")
        print(f"{'ok  ' if not problems else 'FAIL'} {name}: {(errors or [done.stderr[-200:]])[0][:230]}")
        if problems:
            self.failures.append(f"{name}: {'; '.join(problems)}")

    # -- the command line -------------------------------------------------------------------------------------------

    def command_line(self):
        good = str(self.good)
        self.expect("unknown verb", USAGE, ["generate"], "genrate")
        self.expect("unknown flag", USAGE, ["temperature"], "generate", "--model", good, "--prompt", "x", "--temprature", "1")
        self.expect("a value of the wrong type", USAGE, ["max_new_tokens"], "generate", "--model", good, "--prompt", "x", "--max-new-tokens", "many")
        self.expect("a value out of range", USAGE, ["temperature"], "generate", "--model", good, "--prompt", "x", "--temperature", "-1")
        self.expect("unknown recipe", USAGE, ["fine_tuning_from_preferences"], "recipe", "run", "nothing")
        self.expect("unknown preset", USAGE, ["smoke"], "recipe", "run", "fine_tuning_from_preferences", "--preset", "huge")
        self.expect("unknown algorithm", USAGE, ["ppo"], "train", "ppoo")
        settings = write(self.scratch / "settings.toml", "[ppo]\nstepz = 3\n")
        self.expect("unknown key in a settings file", USAGE, ["settings.toml:2", "steps"], "recipe", "run", "fine_tuning_from_preferences", "-c", settings, "--output", str(self.scratch / "r1"))
        broken = write(self.scratch / "broken.toml", "[ppo\nsteps = 3\n")
        self.expect("a settings file that is no TOML", BAD_DATA, ["broken.toml"], "recipe", "run", "fine_tuning_from_preferences", "-c", broken, "--output", str(self.scratch / "r2"))
        self.expect("a settings file that is not there", BAD_DATA, ["missing.toml"], "recipe", "run", "fine_tuning_from_preferences", "-c", str(self.scratch / "missing.toml"))

    # -- models -------------------------------------------------------------------------------------------------------

    def models(self):
        generate = ["generate", "--prompt", "a", "--max-new-tokens", "2", "--model"]
        self.expect("no such model", BAD_DATA, ["nowhere"], *generate, "nowhere")
        weights = self.good.joinpath("model.safetensors").read_bytes()
        self.expect("truncated safetensors", BAD_DATA, ["model.safetensors"], *generate,
                    self.model("cut", lambda f: write(f / "model.safetensors", weights[: len(weights) // 2])))
        self.expect("safetensors with an absurd header", BAD_DATA, ["model.safetensors"], *generate,
                    self.model("header", lambda f: write(f / "model.safetensors", struct.pack("<Q", 1 << 60) + weights[8:])))
        hostile = json.dumps({"model.norm.weight": {"dtype": "F32", "shape": [1 << 62, 8], "data_offsets": [0, 16]}}).encode()
        self.expect("safetensors whose sizes overflow", BAD_DATA, ["model.safetensors"], *generate,
                    self.model("overflow", lambda f: write(f / "model.safetensors", struct.pack("<Q", len(hostile)) + hostile + b"\0" * 16)))
        self.expect("an empty weight file", BAD_DATA, ["model.safetensors"], *generate, self.model("empty", lambda f: write(f / "model.safetensors", b"")))
        self.expect("no weights", BAD_DATA, ["safetensors"], *generate, self.model("bare", lambda f: (f / "model.safetensors").unlink()))
        self.expect("config.json is no JSON", BAD_DATA, ["config.json"], *generate, self.model("json", lambda f: write(f / "config.json", "{")))

        def configure(**changes):
            def change(folder):
                config = json.loads((folder / "config.json").read_text())
                config.update(changes)
                write(folder / "config.json", json.dumps(config))
            return change

        self.expect("an unknown architecture", BAD_DATA, ["mamba"], *generate, self.model("family", configure(model_type="mamba", architectures=["MambaForCausalLM"])))
        self.expect("a shape that contradicts the config", BAD_DATA, ["shape"], *generate, self.model("shape", configure(intermediate_size=7)))
        self.expect("a vocabulary that does not fit", BAD_DATA, ["embed_tokens", "[11, 32]"], *generate, self.model("vocabulary", configure(vocab_size=11)))
        self.expect("an unknown rope scaling", BAD_DATA, ["rope"], *generate, self.model("rope", configure(rope_scaling={"rope_type": "spiral", "factor": 2}, rope_parameters={"rope_type": "spiral"})))
        self.expect("tokenizer.json is no tokenizer", BAD_DATA, ["tokenizer.json"], *generate, self.model("tokenizer", lambda f: write(f / "tokenizer.json", "{}")))
        self.expect("no tokenizer", BAD_DATA, ["tokenizer"], *generate, self.model("wordless", lambda f: (f / "tokenizer.json").unlink()))
        self.expect("a GGUF file that is none", BAD_DATA, ["gguf"], *generate, write(self.scratch / "none.gguf", b"GGUX" + b"\0" * 64))
        self.expect("a truncated GGUF file", BAD_DATA, ["gguf"], *generate, write(self.scratch / "cut.gguf", b"GGUF" + struct.pack("<IQQ", 3, 4, 9)))
        self.expect("a GGUF file with absurd counts", BAD_DATA, ["gguf"], *generate, write(self.scratch / "huge.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 61, 1 << 61) + b"\0" * 64))

    # -- data ---------------------------------------------------------------------------------------------------------

    def data(self):
        generate = ["generate", "--model", str(self.good), "--max-new-tokens", "2", "--prompts"]
        self.expect("no such data file", BAD_DATA, ["missing.jsonl"], *generate, str(self.scratch / "missing.jsonl"))
        self.expect("a line that is no JSON", BAD_DATA, ["broken.jsonl:2"], *generate, write(self.scratch / "broken.jsonl", '{"prompt": "a"}\n{"prompt": \n'))
        self.expect("a row without its column", BAD_DATA, ["column.jsonl:1", "text_to_use"], *generate, write(self.scratch / "column.jsonl", '{"text_to_use": "a"}\n'))
        self.expect("a column of the wrong type", BAD_DATA, ["type.jsonl:1", "prompt"], *generate, write(self.scratch / "type.jsonl", '{"prompt": 17}\n'))
        self.expect("bytes that are no UTF-8", BAD_DATA, ["bytes.jsonl:1", "utf-8"], *generate, write(self.scratch / "bytes.jsonl", b'{"prompt": "\xff\xfe"}\n'))
        self.expect("a truncated gzip file", BAD_DATA, ["cut.jsonl.gz"], *generate, write(self.scratch / "cut.jsonl.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56"))
        self.expect("nesting without end", BAD_DATA, ["deep.jsonl:1"], *generate, write(self.scratch / "deep.jsonl", "[" * 100000 + "\n"))
        self.expect("an empty prompt", BAD_DATA, ["prompt"], *generate, write(self.scratch / "empty.jsonl", '{"prompt": ""}\n'))
        self.expect("an empty data file", BAD_DATA, ["nothing.jsonl"], *generate, write(self.scratch / "nothing.jsonl", ""))
        self.expect("a prompt longer than the context", BAD_DATA, ["context"], *generate, write(self.scratch / "long.jsonl", json.dumps({"prompt": "word " * 5000}) + "\n"))
        inspect = ["inspect", "data", "--model", str(self.good)]
        self.expect("demonstrations without a completion", BAD_DATA, ["empty"], *inspect, write(self.scratch / "blank.jsonl", '{"prompt": "a", "completion": ""}\n' * 3))

    # -- the machine --------------------------------------------------------------------------------------------------

    def machine(self):
        smoke = ["recipe", "run", "fine_tuning_from_preferences", "--preset", "smoke"]
        used = self.scratch / "used"
        write(used / "thesis.txt", "not a run")
        self.expect("an output folder that is something else", USAGE, ["used"], *smoke, "--output", str(used))
        self.expect("an output folder that cannot be made", RESOURCE, ["/proc"], *smoke, "--output", "/proc/nowhere/run")

        def small_files():
            import resource
            import signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        self.expect("a full disk", RESOURCE, ["full.gguf"], "export", str(self.good), "--to", "gguf", "--output", str(self.scratch / "full.gguf"), limits=small_files)
        self.expect("merging without an adapter", USAGE, ["whole model"], "merge", str(self.good), "--output", str(self.scratch / "merged"))


def main():
    rlhf, source = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        cases = Cases(rlhf, source, pathlib.Path(scratch))
        cases.command_line()
        cases.models()
        cases.data()
        cases.machine()
    for failure in cases.failures:
        print("FAIL", failure)
    print(f"{cases.count - len(cases.failures)} passed, {len(cases.failures)} failed")
    sys.exit(1 if cases.failures else 0)


main()
