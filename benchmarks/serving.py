#!/usr/bin/env python3
"""How much faster `rlhf serve` answers requests that come together than one after the other, in tokens per second.

  benchmarks/serving.py [--rlhf build/release/bin/rlhf] [--model smollm2-135m] [--requests 16] [--tokens 48] [--rounds 3]
                        [--llama-server FILE --gguf FILE [--gguf FILE ...]]

Each round asks the same greedy requests one by one, then all at once, of one running server; nobody stops early, and our texts
of both ways have to be the same. With llama.cpp's server (build the target llama-server of its source package) it is asked the
same in every round, on each model file. Only one server runs at a time. Nothing else should run meanwhile.
"""
import argparse
import concurrent.futures
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request

WORDS = "Water Fire Sun Cat Love Time House Music Winter Bread Sea Paris Gold Book Sleep Rain".split()


def ask(url, prompt, tokens):
    body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True}
    request = urllib.request.Request(url + "/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=600))
    assert answer["usage"]["completion_tokens"] == tokens
    return answer["choices"][0]["text"]


def timed(work):
    began = time.monotonic()
    result = work()
    return result, time.monotonic() - began


@contextlib.contextmanager
def running(command, **options):
    server = subprocess.Popen([str(word) for word in command], **options)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextlib.contextmanager
def ours(options):
    command = [options.rlhf, "--json", "serve", options.model, "--port", "0", "--slots", options.requests]
    with running(command, stdout=subprocess.PIPE, text=True) as server:
        yield json.loads(server.stdout.readline())["url"]


@contextlib.contextmanager
def llama(options, gguf):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [options.llama_server, "-m", gguf, "--port", port, "-np", options.requests, "-c", options.requests * 512, "-t", options.threads]
    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(url + "/health", timeout=5)
                break
            time.sleep(0.1)
        yield url


def one_round(url, prompts, tokens, same):
    """Tokens per second one by one, and all at once."""
    ask(url, prompts[0], tokens)  # warms up
    alone, one_by_one = timed(lambda: [ask(url, prompt, tokens) for prompt in prompts])
    with concurrent.futures.ThreadPoolExecutor(len(prompts)) as pool:
        together, at_once = timed(lambda: list(pool.map(lambda prompt: ask(url, prompt, tokens), prompts)))
    assert together == alone or not same, "the texts differ"
    drawn = len(prompts) * tokens
    return {"one_by_one": drawn / one_by_one, "at_once": drawn / at_once, "ratio": one_by_one / at_once, "same_texts": together == alone}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rlhf", default=pathlib.Path(__file__).parents[1] / "build" / "release" / "bin" / "rlhf")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--llama-server", type=pathlib.Path)
    parser.add_argument("--gguf", type=pathlib.Path, action="append", default=[])
    options = parser.parse_args()
    prompts = [f"{WORDS[i % len(WORDS)]} number {i} is known for" for i in range(options.requests)]
    servers = {"rlhf serve": lambda: ours(options)}
    for gguf in options.gguf if options.llama_server else []:
        servers[f"llama-server {gguf.name}"] = lambda gguf=gguf: llama(options, gguf)
    rounds = {name: [] for name in servers}
    for number in range(options.rounds):
        for name, start in servers.items():
            with start() as url:
                rounds[name].append(one_round(url, prompts, options.tokens, same=name == "rlhf serve"))
            last = rounds[name][-1]
            print(f"round {number + 1}, {name}: {last['one_by_one']:7.1f} tokens/s one by one, {last['at_once']:7.1f} at once, ratio {last['ratio']:.2f}", flush=True)
    for name, measured in rounds.items():
        middle = {key: statistics.median(each[key] for each in measured) for key in ("one_by_one", "at_once", "ratio")}
        print(json.dumps({"what": "serving", "server": name, "requests": options.requests, "tokens": options.tokens, "median": middle, "rounds": measured}))


if __name__ == "__main__":
    main()
