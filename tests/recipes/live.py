"""A person teaches MiniBowl through the real server; the session is killed, goes on, and its log gives the same bits.

usage: live.py RLHF

1. `rlhf session` of MiniBowl with a deep learner is taught over the WebSocket that the page /live opens: frames come, presses
   are stored, and the learner uses them.
2. Killed (SIGKILL) and resumed, it goes on at the tick after the last one logged, and another client teaches it.
3. The whole log, replayed, ends in the learner that the session ended with; with another credit rule it ends in another.
4. COACH and Deep COACH learn from the same log.
"""
import base64
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from pages import start  # noqa: E402

LEARNER = ["--environment", "mini_bowl", "--tamer.replay_every", "2", "--eyes.frames", "96", "--eyes.epochs", "2"]


class Live:
    """As much of a WebSocket client as the page needs."""

    def __init__(self, url, name):
        at = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /api/live/{name} HTTP/1.1\r\nHost: {at.netloc}\r\nOrigin: {url.rstrip('/')}\r\n"
                             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nCookie: rlhf_name=anna\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(4096)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.split(b"\r\n")[0], head

    def take(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        """A JSON message, or the bytes of a picture."""
        whole, kind = b"", 0
        while True:
            first, size = self.take(2)
            if size == 126:
                size = struct.unpack(">H", self.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.take(8))[0]
            body = self.take(size)
            if first & 15 == 8:
                raise ConnectionError(body)
            if first & 15 > 8:  # a ping; the connection does not live long enough to need a pong
                continue
            kind = first & 15 or kind  # 0 continues the message before
            whole += body
            if first & 0x80:
                return json.loads(whole) if kind == 1 else whole

    def send(self, message):
        body, mask = json.dumps(message).encode(), os.urandom(4)
        head = struct.pack(">BB", 0x81, 0x80 | len(body)) if len(body) < 126 else struct.pack(">BBH", 0x81, 0xFE, len(body))
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(body)))

    def teach(self, first, presses):
        """Presses + and - in turn until the learner has used as many: a press that reaches back over a pause is refused, as
        is one about the moment before a resumed session went on. Returns the last state and how many pictures came."""
        pictures, stored, number, used_before = 0, 0, first, None
        until = time.monotonic() + 90
        self.send({"type": "ping", "at": time.monotonic()})
        while True:
            message = self.receive()
            if isinstance(message, bytes):
                assert message[8:12] == b"\x89PNG"
                pictures += 1
            elif message["type"] == "stored":
                stored += 1
            elif message["type"] == "state":
                used_before = message["signals"] if used_before is None else used_before
                used = message["signals"] - used_before
                if used >= presses and stored >= presses and pictures:
                    return message, pictures
                assert time.monotonic() < until, f"{number - first} presses, {stored} stored, {used} used, {pictures} pictures"
                self.send({"type": "signal", "number": number, "tick": message["tick"], "value": 1 if number % 2 else -1,
                           "at": time.monotonic(), "delay": 0.03})
                number += 1


def begin(rlhf, store, *words):
    running = subprocess.Popen([rlhf, "--json", "session", store, *LEARNER, *words], stdout=subprocess.PIPE, text=True)
    line = json.loads(running.stdout.readline())
    assert line["session"] == "bowl", line
    return running


def report(rlhf, *words):
    done = subprocess.run([rlhf, "--json", "session", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def main(rlhf):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        store, log = folder / "feedback.db", folder / "live/bowl.jsonl"
        server, url = start(rlhf, "collect", store)
        try:
            session = begin(rlhf, store, "--name", "bowl", "--rate", "20", "--seconds", "600")
            state, pictures = Live(url, "bowl").teach(1, 12)
            print(f"taught: {state['signals']} signals, {pictures} pictures, version {state['policy_version']}", flush=True)
            assert state["policy_version"] > 12, state
            session.send_signal(signal.SIGKILL)
            session.wait()
            logged = log.read_bytes().count(b"\n") - 1
            with log.open("a") as file:
                file.write('{"begin": 12.')  # as if it had been killed in the middle of a row

            session = begin(rlhf, store, "--resume", log)
            client = Live(url, "bowl")
            state, _ = client.teach(101, 12)
            assert state["tick"] > logged and state["signals"] >= 24, (logged, state)
            session.send_signal(signal.SIGTERM)
            result = json.loads(session.stdout.read().splitlines()[-1])
            session.wait()
            rows = [json.loads(line) for line in log.read_text().splitlines()]
            assert {"resume": True} in rows[logged + 1]["events"], rows[logged + 1]

            words = ["--store", store, *LEARNER, "--encoder", folder / "live/mini_bowl.safetensors"]
            replayed = report(rlhf, *words, "--replay", log)
            assert replayed["learner"] == result["learner"] and replayed["signals"] == result["signals"], (replayed, result)
            relearnt = report(rlhf, *words, "--tamer.credit_high", "0.8", "--relearn", log)
            assert relearnt["learner"] != result["learner"] and relearnt["ticks"] == result["ticks"], relearnt
            # What TAMER was told, taken for advantages.
            advantages = [report(rlhf, *words, "--learner", learner, "--relearn", log) for learner in ("coach", "deep_coach")]
            for told in advantages:
                assert told["signals"] == result["signals"] and told["learner"] != result["learner"], told
            assert advantages[0]["learner"] != advantages[1]["learner"], advantages
        finally:
            server.terminate()
            server.wait()
    print("4 passed, 0 failed")


main(sys.argv[1])
