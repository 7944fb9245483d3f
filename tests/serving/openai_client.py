#!/usr/bin/env python3
"""`rlhf serve` as OpenAI's own Python client sees it.

  openai_client.py RLHF SOURCE_FOLDER

The client is installed once, pinned, into the user's cache. Where it cannot be, or SmolLM2 is not there, the test is
skipped (exit code 77) and says why.
"""
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "rlhf.cpp"
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def continue_in_the_clients_environment(source):
    """Starts this script again with a Python that has the pinned client."""
    requirements = source / "tests" / "serving" / "openai-client.txt"
    wanted = re.search(r"^openai==(\S+)", requirements.read_text(), re.M)[1]
    environment = CACHE / "openai-client"
    python = environment / "bin" / "python"

    def installed():
        probe = [python, "-c", "import importlib.metadata as m; print(m.version('openai'))"]
        return python.exists() and subprocess.run(probe, capture_output=True, text=True).stdout.strip() == wanted

    if not installed():
        for command in ([sys.executable, "-m", "venv", environment], [python, "-m", "pip", "install", "-q", "-r", requirements]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                skip(f"the openai client cannot be installed: {(done.stderr or done.stdout).strip()[-300:]}")
    os.execv(python, [python, __file__, *sys.argv[1:], "--in-environment"])


class Served:
    """A running `rlhf serve`."""

    def __init__(self, model, *flags):
        self.process = subprocess.Popen([RLHF, "--json", "serve", str(model), "--port", "0", *flags], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"rlhf serve ended with {self.process.wait()}")
        self.url = json.loads(line)["url"]
        self.client = openai.OpenAI(base_url=self.url + "/v1", api_key="none", max_retries=0, timeout=120)

    def metrics(self):
        text = urllib.request.urlopen(self.url + "/metrics", timeout=10).read().decode()
        return {name: float(value) for name, value in re.findall(r"^rlhf_(\w+) (\S+)$", text, re.M)}

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=60))

    def wait_until(self, holds, what):
        for _ in range(200):
            if holds(self.metrics()):
                return
            time.sleep(0.05)
        raise AssertionError(f"{what}: {self.metrics()}")

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code


class Language(unittest.TestCase):
    """SmolLM2-135M."""

    MODEL = "smollm2-135m"
    PROMPT = "The capital of France is"

    @classmethod
    def setUpClass(cls):
        cls.served = Served(cls.MODEL)
        cls.client = cls.served.client

    @classmethod
    def tearDownClass(cls):
        code = cls.served.stop()
        assert code == 143, f"exit code {code} after SIGTERM"

    def complete(self, prompt=PROMPT, **settings):
        extra = settings.pop("extra_body", {})
        return self.client.completions.create(model=self.MODEL, prompt=prompt, extra_body=extra, **{"max_tokens": 12, "temperature": 0, **settings})

    def chat(self, text="What is the capital of France?", **settings):
        messages = settings.pop("messages", [{"role": "user", "content": text}])
        return self.client.chat.completions.create(model=self.MODEL, messages=messages, **{"max_tokens": 12, "temperature": 0, **settings})

    def test_models(self):
        self.assertEqual([model.id for model in self.client.models.list()], [self.MODEL])
        self.assertEqual(self.client.models.retrieve(self.MODEL).id, self.MODEL)

    def test_completion(self):
        answer = self.complete()
        self.assertTrue(answer.choices[0].text.startswith(" Paris"))
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertEqual((answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens), (5, 12, 17))

    def test_prompts_in_every_form(self):
        text = self.complete().choices[0].text
        ids = self.served.post("/tokenize", {"prompt": self.PROMPT})["tokens"]
        self.assertEqual(self.served.post("/detokenize", {"tokens": ids})["prompt"], self.PROMPT)
        self.assertEqual(self.complete(prompt=ids).choices[0].text, text)
        other = self.complete(prompt="One, two, three,").choices[0].text
        for prompts in ([self.PROMPT, "One, two, three,"], [ids, self.served.post("/tokenize", {"prompt": "One, two, three,"})["tokens"]]):
            both = self.complete(prompt=prompts)
            self.assertEqual([(c.index, c.text) for c in both.choices], [(0, text), (1, other)])

    def test_token_ids_out(self):
        choice = self.complete(extra_body={"return_token_ids": True}).choices[0]
        self.assertEqual(len(choice.token_ids), 12)
        self.assertEqual(self.served.post("/detokenize", {"tokens": choice.token_ids})["prompt"], choice.text)
        chat = self.chat(extra_body={"return_token_ids": True}).choices[0]  # the stop token is one of the ids, not of the text
        self.assertEqual(chat.finish_reason, "stop")
        self.assertEqual(self.served.post("/detokenize", {"tokens": chat.token_ids})["prompt"], chat.message.content + "<|im_end|>")
        chunks = list(self.complete(stream=True, extra_body={"return_token_ids": True}))
        streamed = sum((chunk.choices[0].token_ids for chunk in chunks), [])
        self.assertEqual(streamed, self.complete(extra_body={"return_token_ids": True}).choices[0].token_ids)

    def test_chat(self):
        answer = self.chat()
        self.assertEqual(answer.choices[0].message.role, "assistant")
        self.assertIn("Paris", answer.choices[0].message.content)
        parts = self.chat(messages=[{"role": "user", "content": [{"type": "text", "text": "What is the capital"}, {"type": "text", "text": " of France?"}]}])
        self.assertEqual(parts.choices[0].message.content, answer.choices[0].message.content)

    def test_streaming_is_the_same_text(self):
        chunks = list(self.chat(stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        self.assertEqual(text, self.chat().choices[0].message.content)
        self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason], ["stop"])
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.completion_tokens, self.chat().usage.completion_tokens)
        pieces = [chunk.choices[0].text for chunk in self.complete(stream=True)]
        self.assertGreater(len(pieces), 5)
        self.assertEqual("".join(pieces), self.complete().choices[0].text)

    def test_stop(self):
        whole = self.complete(max_tokens=30).choices[0].text
        at = whole.index(" ", 8)
        stop = whole[at - 1:at + 2]  # across tokens
        for stops in (stop, ["never there", stop]):
            cut = self.complete(max_tokens=30, stop=stops).choices[0]
            self.assertEqual((cut.text, cut.finish_reason), (whole[:whole.index(stop)], "stop"))
        streamed = "".join(chunk.choices[0].text for chunk in self.complete(max_tokens=30, stop=stop, stream=True))
        self.assertEqual(streamed, whole[:whole.index(stop)])

    def test_n_and_seed(self):
        ask = dict(temperature=1, n=4, max_tokens=10)
        one, again, other = (self.complete(seed=seed, **ask) for seed in (7, 7, 8))
        texts = [choice.text for choice in one.choices]
        self.assertEqual(len(set(texts)), 4)
        self.assertEqual(texts, [choice.text for choice in again.choices])
        self.assertNotEqual(texts, [choice.text for choice in other.choices])
        self.assertEqual(one.usage.completion_tokens, 40)
        self.assertNotEqual(self.complete(**ask).choices[0].text, self.complete(**ask).choices[0].text)  # no seed: new each time
        streamed = {}
        for chunk in self.complete(seed=7, stream=True, **ask):
            streamed[chunk.choices[0].index] = streamed.get(chunk.choices[0].index, "") + chunk.choices[0].text
        self.assertEqual([streamed[i] for i in range(4)], texts)

    def test_logprobs(self):
        chat = self.chat(logprobs=True, top_logprobs=3)
        content = chat.choices[0].logprobs.content
        self.assertEqual(len(content), chat.usage.completion_tokens)
        for entry in content:
            self.assertEqual(entry.logprob, entry.top_logprobs[0].logprob)  # greedy: the most probable one
            self.assertEqual(bytes(entry.bytes).decode(errors="replace"), entry.token)
            self.assertEqual(len(entry.top_logprobs), 3)
            self.assertLessEqual(entry.top_logprobs[1].logprob, entry.logprob)
        answer = self.complete(logprobs=2).choices[0]
        self.assertEqual("".join(answer.logprobs.tokens), answer.text)
        self.assertEqual(answer.logprobs.text_offset[1], len(answer.logprobs.tokens[0]))
        self.assertEqual(len(answer.logprobs.top_logprobs[0]), 2)
        streamed = [entry for chunk in self.chat(logprobs=True, stream=True) for entry in (chunk.choices[0].logprobs.content if chunk.choices[0].logprobs else [])]
        self.assertEqual([entry.token for entry in streamed], [entry.token for entry in content])
        # The sum is what /v1/score says of the same tokens.
        ids = self.complete(extra_body={"return_token_ids": True}).choices[0]
        scored = self.served.post("/v1/score", {"model": self.MODEL, "data": [{"prompt": ids.prompt_token_ids, "completion": ids.token_ids}]})
        self.assertAlmostEqual(scored["data"][0]["score"], sum(answer.logprobs.token_logprobs), places=3)
        self.assertEqual(scored["kind"], "logprob")

    def test_logit_bias_and_penalties(self):
        paris = self.served.post("/tokenize", {"prompt": " Paris"})["tokens"]
        self.assertEqual(len(paris), 1)
        self.assertNotIn("Paris", self.complete(logit_bias={str(paris[0]): -100}).choices[0].text[:6])
        self.assertEqual(set(self.complete(logit_bias={str(paris[0]): 100}).choices[0].text.split()), {"Paris"})
        # A bias makes one token come again and again; the penalties outweigh it after a while.
        always = {str(paris[0]): 30}
        self.assertEqual(set(self.complete(logit_bias=always).choices[0].text.split()), {"Paris"})
        self.assertGreater(len(set(self.complete(max_tokens=30, logit_bias=always, frequency_penalty=2).choices[0].text.split())), 1)

    def test_json_object(self):
        answer = self.chat("Describe a cat as a JSON object.", n=6, max_tokens=120, temperature=1, seed=1, response_format={"type": "json_object"})
        whole = [json.loads(choice.message.content) for choice in answer.choices if choice.finish_reason == "stop"]
        self.assertGreaterEqual(len(whole), 2)
        self.assertEqual({type(each) for each in whole}, {dict})

    def test_json_schema(self):
        schema = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "colour": {"enum": ["black", "white"]},
                                                   "friends": {"type": "array", "items": {"type": "string"}, "maxItems": 2}}, "required": ["name", "age", "colour"]}
        answer = self.chat("Describe a cat.", n=6, max_tokens=120, temperature=1, seed=1,
                           response_format={"type": "json_schema", "json_schema": {"name": "cat", "schema": schema}})
        whole = [json.loads(choice.message.content) for choice in answer.choices if choice.finish_reason == "stop"]
        self.assertGreaterEqual(len(whole), 3)
        for cat in whole:
            self.assertIsInstance(cat["name"], str)
            self.assertIsInstance(cat["age"], int)
            self.assertIn(cat["colour"], ["black", "white"])
            self.assertLessEqual(len(cat.get("friends", [])), 2)

    def test_errors(self):
        def refused(kind, param, ask):
            with self.assertRaises(kind) as caught:
                ask()
            self.assertEqual(caught.exception.param, param)
            self.assertTrue(caught.exception.body["message"])
            return caught.exception

        create = self.client.completions.create
        self.assertEqual(refused(openai.NotFoundError, "model", lambda: create(model="gpt-7", prompt="x")).code, "model_not_found")
        long = refused(openai.BadRequestError, "max_tokens", lambda: self.complete(max_tokens=100000))
        self.assertEqual(long.code, "context_length_exceeded")
        self.assertRegex(long.message, r"context is 2048.*max_tokens to 2043 or less")
        refused(openai.BadRequestError, "temperature", lambda: self.complete(temperature=-1))
        refused(openai.BadRequestError, "stop", lambda: self.complete(stop=[""]))
        refused(openai.BadRequestError, "logit_bias", lambda: self.complete(logit_bias={"999999": 1}))
        refused(openai.BadRequestError, "prompt", lambda: self.complete(prompt=[]))
        refused(openai.BadRequestError, "messages", lambda: self.chat(messages=[]))
        refused(openai.BadRequestError, "messages[0].content",
                lambda: self.chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]))
        refused(openai.BadRequestError, "tools", lambda: self.chat(tools=[{"type": "function", "function": {"name": "f"}}]))
        refused(openai.BadRequestError, "echo", lambda: self.complete(echo=True))
        self.assertIn("temperature", refused(openai.BadRequestError, "temprature", lambda: self.complete(extra_body={"temprature": 1})).message)
        refused(openai.BadRequestError, "schema.pattern",
                lambda: self.chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "string", "pattern": "a"}}}))

    def test_a_dropped_connection_frees_its_slot(self):
        before = self.served.metrics()
        body = json.dumps({"model": self.MODEL, "prompt": "Once", "max_tokens": 1900, "ignore_eos": True})
        for stream in (False, True):
            connection = http.client.HTTPConnection(self.served.url.removeprefix("http://"), timeout=30)
            connection.request("POST", "/v1/completions", body[:-1] + f', "stream": {json.dumps(stream)}}}', {"Content-Type": "application/json"})
            self.served.wait_until(lambda now: now["sequences_running"] == 1, "it runs")
            connection.close() if not stream else connection.sock.close()
            self.served.wait_until(lambda now: now["sequences_running"] == 0, "its slot is free")
        now = self.served.metrics()
        self.assertEqual(now["requests_cancelled_total"] - before["requests_cancelled_total"], 2)
        self.assertLess(now["completion_tokens_total"] - before["completion_tokens_total"], 1000)

    def test_sixteen_at_once_are_each_as_alone(self):
        prompts = [f"{word} is" for word in "Water,Fire,The sun,My cat,Love,Time,A house,Music,Winter,Bread,The sea,Paris,Gold,A book,Sleep,Rain".split(",")]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            together = list(pool.map(lambda prompt: self.complete(prompt, max_tokens=24).choices[0].text, prompts))
        self.assertEqual(together, [self.complete(prompt, max_tokens=24).choices[0].text for prompt in prompts])
        self.assertGreater(len(set(together)), 10)


def reward_model(folder, source):
    """The tests' tiny model with a score head."""
    shutil.copytree(source / "tests" / "reference" / "models" / "llama_tied", folder)
    file = folder / "model.safetensors"
    bytes_ = file.read_bytes()
    (length,) = struct.unpack("<Q", bytes_[:8])
    header, data = json.loads(bytes_[8:8 + length]), bytes_[8 + length:]
    config = json.loads((folder / "config.json").read_text())
    width = config["hidden_size"]
    head = struct.pack(f"<{width}f", *[((7 * i) % 11 - 5) / 5 for i in range(width)])
    header["score.weight"] = {"dtype": "F32", "shape": [1, width], "data_offsets": [len(data), len(data) + len(head)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data + head)
    config["architectures"] = ["LlamaForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(config))


class Rewarded(unittest.TestCase):
    """The tests' tiny model, a reward model beside it, one slot and no queue."""

    def test_best_of_is_the_best_by_the_reward_model(self):
        with tempfile.TemporaryDirectory() as folder:
            reward_model(pathlib.Path(folder) / "reward", SOURCE)
            served = Served(SOURCE / "tests" / "reference" / "models" / "llama_tied", "--reward-model", f"{folder}/reward", "--name", "tiny", "--slots", "3")
            try:
                self.assertEqual([model.id for model in served.client.models.list()], ["tiny", "reward"])
                ask = dict(model="tiny", prompt="Once upon a time", max_tokens=12, seed=5, extra_body={"return_token_ids": True})
                all_ = served.client.completions.create(n=6, **ask).choices
                data = [{"prompt": choice.prompt_token_ids, "completion": choice.token_ids} for choice in all_]
                scored = served.post("/v1/score", {"model": "reward", "data": data})
                self.assertEqual(scored["kind"], "reward")
                scores = [row["score"] for row in scored["data"]]
                order = sorted(range(6), key=lambda i: -scores[i])
                best = served.client.completions.create(n=2, best_of=6, **ask).choices
                self.assertEqual([choice.token_ids for choice in best], [all_[i].token_ids for i in order[:2]])
                self.assertAlmostEqual(best[0].score, scores[order[0]], places=4)
                with self.assertRaises(openai.BadRequestError):
                    served.client.completions.create(n=1, best_of=2, stream=True, **ask)
            finally:
                served.stop()

    def test_a_full_queue_says_so(self):
        served = Served(SOURCE / "tests" / "reference" / "models" / "llama_tied", "--name", "tiny", "--slots", "1", "--queue", "0")
        try:
            with self.assertRaises(openai.RateLimitError) as caught:
                served.client.completions.create(model="tiny", prompt="x", n=2)
            self.assertIn("--slots", caught.exception.message)
            self.assertEqual(served.metrics()["requests_refused_total"], 1)
            self.assertTrue(served.client.completions.create(model="tiny", prompt="x").choices[0].finish_reason)
        finally:
            served.stop()


if __name__ == "__main__":
    RLHF, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if "--in-environment" not in sys.argv:
        continue_in_the_clients_environment(SOURCE)
    import openai
    if not list((CACHE / "models").glob("smollm2-135m*")) and not os.environ.get("RLHF_MODELS"):
        skip("SmolLM2-135M is not in the cache; `tools/setup` puts it there")
    unittest.main(argv=[sys.argv[0], *(arg for arg in sys.argv[3:] if arg != "--in-environment")], verbosity=2)
