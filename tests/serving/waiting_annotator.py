"""Somebody who waits for a question gets it when it is published, from another process, and keeps nobody else waiting.

usage: waiting_annotator.py RLHF
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request


def call(url, path):
    with urllib.request.urlopen(urllib.request.Request(url + path, headers={"Cookie": "rlhf_name=anna"}), timeout=40) as reply:
        return json.load(reply)


def collect(rlhf, store, *more):
    server = subprocess.Popen([rlhf, "--json", "collect", str(store), "--port", "0", "--project", "cats", *more],
                              stdout=subprocess.PIPE, text=True)
    return server, json.loads(server.stdout.readline())["url"]


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "pairs.jsonl").write_text('{"prompt": "a", "completions": ["x", "y"]}\n')
        server, url = collect(rlhf, scratch / "feedback.db")
        other = None
        try:
            assert call(url, "/api/project")["name"] == "cats"
            began = time.monotonic()
            nothing = call(url, "/api/next?wait=1")
            assert nothing["assignments"] == [] and "seconds" in nothing["waiting"]
            assert time.monotonic() - began >= 0.9, "it did not wait"
            got = []
            waiters = [threading.Thread(target=lambda: got.append(call(url, "/api/next?wait=30"))) for _ in range(24)]
            for each in waiters:
                each.start()
            time.sleep(0.5)
            began = time.monotonic()
            call(url, "/api/project")
            assert time.monotonic() - began < 3, "those who wait kept another request waiting"
            assert not got, "an answer came before the question"
            other, _ = collect(rlhf, scratch / "feedback.db", "--questions", str(scratch / "pairs.jsonl"))
            began = time.monotonic()
            for each in waiters:
                each.join()
            assert time.monotonic() - began < 10, "the question took long"
            assert all(each["assignments"] for each in got) and len({each["assignments"][0]["id"] for each in got}) == 1
        finally:
            for process in (server, other):
                if process:
                    process.terminate()
                    process.wait(timeout=20)
    print("the question came to those who waited")


if __name__ == "__main__":
    main(sys.argv[1])
