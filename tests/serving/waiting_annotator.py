"""Somebody who waits for a question gets it when it is published, from another process, and keeps nobody else waiting; who
leaves while waiting takes no question along.

usage: waiting_annotator.py RLHF
"""
import pathlib
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from pages import call, start  # noqa: E402


def leave_while_waiting(url, name):
    """Asks for a question that is not there yet, and closes the connection."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f"GET /api/next?wait=30 HTTP/1.1\r\nHost: {host}\r\nCookie: rlhf_name={name}\r\n\r\n".encode())
        time.sleep(0.4)


def those_who_left_keep_nothing(rlhf, scratch):
    server, url = start(rlhf, "collect", scratch / "left.db")
    try:
        for number in range(8):
            leave_while_waiting(url, f"gone{number}")
            call(url, "/api/owner/questions", {"prompt": f"p{number}", "completions": ["x", "y"]})
            held = call(url, "/api/next?wait=5", name="here")["assignments"]
            assert held, f"question {number} went to somebody who had left"
            call(url, "/api/answer", {"assignment": held[0]["id"], "answer": {"said": {"kind": "comparison", "best": 0}}}, "here")
    finally:
        server.terminate()
        server.wait(timeout=20)


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "pairs.jsonl").write_text('{"prompt": "a", "completions": ["x", "y"]}\n')
        server, url = start(rlhf, "collect", scratch / "feedback.db", "--project", "cats")
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
            other, _ = start(rlhf, "collect", scratch / "feedback.db", "--project", "cats", "--questions", scratch / "pairs.jsonl")
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
        those_who_left_keep_nothing(rlhf, scratch)
    print("the question came to those who waited")


if __name__ == "__main__":
    main(sys.argv[1])
