"""A worker for tests, of Python's own library: counts steps, and misbehaves as it is told to (docs/workers.md).

Sees float32 [2]: the seed (modulo 1000) and the steps of the episode. Action 0 or 1 is the reward; an episode terminates after
`length` steps. Settings: length; fault, one of those below; at (the step of the process at which the fault happens); once (a file
that is written then: while it is there, nothing happens).
"""
import json
import mmap
import os
import socket
import struct
import sys
import threading
import time

line = socket.socket(fileno=3)


def read(size):
    data = b""
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data


def receive():
    head, size = struct.unpack("=II", read(8))
    return (json.loads(read(head)) if head else None), read(size)


def send(head=None, data=b""):
    text = json.dumps(head).encode() if head is not None else b""
    line.sendall(struct.pack("=II", len(text), len(data)) + text + data)


class Memory:
    def __init__(self, layout):
        self.map, self.layout = mmap.mmap(4, layout["bytes"]), layout

    def get(self, name, kind, i):
        return struct.unpack_from("=" + kind, self.map, self.layout[name] + i * struct.calcsize("=" + kind))[0]

    def put(self, name, kind, i, value):
        struct.pack_into("=" + kind, self.map, self.layout[name] + i * struct.calcsize("=" + kind), value)

    def see(self, place, i, values):
        struct.pack_into("=ff", self.map, place + i * 8, *values)

    def beat(self):
        count = 0
        while beating:
            count += 1
            struct.pack_into("=Q", self.map, self.layout["heart"], count)
            time.sleep(0.5)


def misbehave(settings):
    global beating
    fault, once = settings.get("fault"), settings.get("once")
    if once:
        if os.path.exists(once):
            return
        open(once, "w").close()
    if fault == "crash":
        sys.stdout.write("thud\n" * 40_000)  # more than a pipe holds
        print("\nthe wheel fell off", file=sys.stderr, flush=True)
        os._exit(7)
    if fault == "hang":
        time.sleep(1000)
    if fault == "heart":
        beating = False
        time.sleep(1000)
    if fault == "raise":
        raise ValueError("a wall where none should be")
    if fault == "garbage":
        line.sendall(b"Traceback (most recent call last)")
        time.sleep(1000)


def play(memory, settings, episodes):
    """One round. episodes: [seed, steps] of each environment."""
    global stepped
    block = memory.layout["observations"][memory.get("block", "Q", 0)]
    for i, episode in enumerate(episodes):
        order = memory.get("orders", "B", i)
        if order == 0:
            continue
        if order in (1, 2):
            episode[:] = [memory.get("seeds", "Q", i) % 1000, 0]
        else:
            stepped += 1
            if stepped == settings.get("at"):
                memory.see(block, i, [-1, -1])  # half-way through writing
                misbehave(settings)
            episode[1] += 1
            over = episode[1] >= settings.get("length", 1000)
            memory.put("rewards", "d", i, memory.get("actions", "q", i))
            memory.put("terminated", "B", i, over)
            memory.put("truncated", "B", i, 0)
            if over and order == 4:
                memory.see(memory.layout["final_observations"], i, episode)
                episode[:] = [memory.get("seeds", "Q", i) % 1000, 0]
        memory.see(block, i, episode)


def answer(asked, data, memory, settings, episodes):
    i = asked["environment"]
    block = memory.layout["observations"][memory.get("block", "Q", 0)]
    if asked["do"] == "reset":
        episodes[i][:] = [asked["seed"] % 1000, 0]
        memory.see(block, i, episodes[i])
        return {"info": {"options": asked["options"]}}, b""
    if asked["do"] == "state":
        return {"state": True}, json.dumps(episodes[i]).encode()
    if asked["do"] == "set_state":
        episodes[i][:] = json.loads(data)
        memory.see(block, i, episodes[i])
        return {"running": True}, b""
    if asked["do"] == "render":
        return {"width": 2, "height": 1}, bytes([255, 0, 0, 0, 0, 255])
    return {"error": "what?"}, b""


fault_at_start = sys.argv[1] if len(sys.argv) > 1 else ""
if fault_at_start == "mute":
    time.sleep(1000)
if fault_at_start == "dies":
    sys.exit("no such robot")
if fault_at_start == "stranger":
    send({"good": "morning"})
else:
    send({"hello": "rlhf-worker", "protocol": 99 if fault_at_start == "old" else 1})

asked, _ = receive()
settings, stepped, beating = asked["settings"], 0, True
box = {"dtype": "float32", "shape": [2], "low": [0], "high": ["inf"]}
spec = {"observation": box, "action": {"choices": ["no", "yes"]}, "max_steps": 0, "state": not settings.get("stateless"), "render": True}
if fault_at_start == "refuses":
    send({"error": "there is no such track", "fix": "Take another."})
elif fault_at_start == "shapeless":
    send({"spec": {**spec, "observation": {"dtype": "float32"}}})
else:
    send({"spec": spec})
episodes = [[0, 0] for _ in range(asked["count"])]
memory = Memory(receive()[0])
threading.Thread(target=memory.beat, daemon=True).start()
send({"attached": True})
while True:
    asked, data = receive()
    if asked is not None:
        send(*answer(asked, data, memory, settings, episodes))
        continue
    try:
        play(memory, settings, episodes)
        send()
    except ValueError as problem:
        send({"error": f"ValueError: {problem}"})
