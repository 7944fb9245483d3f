"""`rlhf serve MODEL --store S`: what the chat page asks for is there, and what people say of answers is kept.

usage: chat_page.py RLHF SOURCE
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request


def call(url, path, body=None):
    request = urllib.request.Request(url + path, headers={"Content-Type": "application/json", "Cookie": "rlhf_name=anna"},
                                     data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def main(rlhf, source):
    model = pathlib.Path(source) / "tests/reference/models/llama_tied"
    with tempfile.TemporaryDirectory() as scratch:
        store = pathlib.Path(scratch) / "feedback.db"
        server = subprocess.Popen([rlhf, "--json", "serve", str(model), "--store", str(store), "--project", "cats", "--port", "0"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            url = json.loads(server.stdout.readline())["url"]
            session = call(url, "/api/session")
            assert session["model"] and session["project"] == "cats", session
            talk = [{"role": "user", "content": "Hi"}]
            made = [call(url, "/v1/chat/completions", {"model": "default", "messages": talk, "max_tokens": 8, "seed": seed})
                    ["choices"][0]["message"]["content"] for seed in (1, 2)]
            said = call(url, "/api/chat/feedback", {"messages": talk, "candidates": made, "chosen": 1})
            assert said["sequence"] > 0
            kept = call(url, "/api/history")["entries"]
            assert len(kept) == 1 and kept[0]["answer"]["said"]["kind"] == "comparison", kept
        finally:
            server.terminate()
            server.wait(timeout=30)
        out = pathlib.Path(scratch) / "rows.jsonl"
        subprocess.run([rlhf, "data", "export", "--store", str(store), "--project", "cats", "--to", "trl", "--output", str(out)], check=True, timeout=60)
        row = json.loads(out.read_text().splitlines()[0])
        assert made[1] in json.dumps(row["chosen"], ensure_ascii=False) or row["chosen"][-1]["content"] == made[1], row
    print("the answer that was chosen is in the store")


if __name__ == "__main__":
    main(*sys.argv[1:])
