#!/usr/bin/env python3
"""How much faster `rlhf serve` answers requests that come together than one after the other, in tokens per second.

  benchmarks/serving.py [--rlhf build/release/bin/rlhf] [--model smollm2-135m] [--requests 16] [--tokens 48] [--rounds 3]

Each round asks the same greedy requests one by one, then all at once, of one running server; nobody stops early, and the
texts of both ways have to be the same. Prints the ratio of each round and their median. Nothing else should run meanwhile.
"""
import argparse
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import time
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rlhf", default=pathlib.Path(__file__).parents[1] / "build" / "release" / "bin" / "rlhf")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    prompts = [f"{WORDS[i % len(WORDS)]} number {i} is known for" for i in range(options.requests)]
    server = subprocess.Popen([options.rlhf, "--json", "serve", options.model, "--port", "0", "--slots", str(options.requests)],
                              stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())["url"]
        ask(url, prompts[0], options.tokens)  # warms up
        ratios = []
        drawn = options.requests * options.tokens
        for number in range(options.rounds):
            alone, one_by_one = timed(lambda: [ask(url, prompt, options.tokens) for prompt in prompts])
            with concurrent.futures.ThreadPoolExecutor(options.requests) as pool:
                together, at_once = timed(lambda: list(pool.map(lambda prompt: ask(url, prompt, options.tokens), prompts)))
            assert together == alone, "the texts differ"
            ratios.append(one_by_one / at_once)
            print(f"round {number + 1}: {drawn / one_by_one:7.1f} tokens/s one by one, {drawn / at_once:7.1f} at once, ratio {ratios[-1]:.2f}", flush=True)
        print(json.dumps({"what": "serving", "requests": options.requests, "tokens": options.tokens, "ratios": ratios, "median": statistics.median(ratios)}))
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main()
