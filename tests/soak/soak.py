"""Annotators work while the server is killed, again and again; then the store is compared with what they were told.

usage: soak.py RLHF [--seconds 300] [--kills 30] [--annotators 20] [--postgres] [--database-kills 0]

Every annotator asks for a question, answers it over HTTP and notes what the server acknowledged; when a connection breaks, it
sends the same again, as the page does. Meanwhile the server (`rlhf collect`) dies by SIGKILL and is started anew. At the end:
every acknowledged answer is in the log, by its annotator and with its choice; no question is answered twice; and all questions
that were leased when the server died can be leased again, so that the queue runs empty.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")


class Server:
    """`rlhf collect` on one port, started anew after each kill."""

    def __init__(self, rlhf, store, folder, questions):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [rlhf, "--json", "collect", store, "--port", str(self.port), "--lease_seconds", "20",
                        "--media", str(folder / "media"), "--live", str(folder / "live")]
        self.log = open(folder / "server.log", "w")
        self.start(["--questions", str(questions)])

    def start(self, more=()):
        began = time.monotonic()
        self.process = subprocess.Popen([*self.command, *more], stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout.readline(), "the server did not start: see server.log"
        return time.monotonic() - began

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return self.start()


class Database:
    """A PostgreSQL server in a folder of its own. It refuses to run as root."""

    def __init__(self, folder):
        self.folder = folder / "postgres"
        self.folder.mkdir()
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            folder.chmod(0o755)
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.run("initdb", "-U", "postgres", "-A", "trust", "-D", "data")
        self.start()
        self.location = f"postgresql:///postgres?user=postgres&host={self.folder}"

    def run(self, program, *arguments):
        subprocess.run([POSTGRES / program, *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       **({"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}))

    def start(self):
        self.run("pg_ctl", "-w", "-D", "data", "-l", "log", "-o", f"-k {self.folder} -c listen_addresses=''", "start")

    def stop(self):
        try:
            self.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        except subprocess.CalledProcessError:
            pass  # it is down already

    def kill(self):
        os.kill(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        for _ in range(50):  # its children have to notice first
            time.sleep(0.3)
            try:
                return self.start()
            except subprocess.CalledProcessError:
                continue
        raise AssertionError("PostgreSQL does not start again: " + (self.folder / "log").read_text()[-500:])


class Annotator(threading.Thread):
    def __init__(self, number, server, over):
        super().__init__(name=f"annotator {number}")
        self.server, self.over, self.random = server, over, random.Random(number)
        self.who, self.connection = f"annotator{number}", None
        self.acknowledged, self.broken, self.refused, self.idle = [], 0, collections.Counter(), 0
        self.failure = None

    def call(self, path, body=None):
        """Until there is an answer: a broken connection is opened again and the same is sent."""
        while True:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
                self.connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body),
                                        {"Cookie": f"rlhf_name={self.who}", "Content-Type": "application/json"})
                reply = self.connection.getresponse()
                content = reply.read()
                if reply.status < 500:
                    return reply.status, json.loads(content)
                self.refused[reply.status] += 1
            except (OSError, http.client.HTTPException):
                self.broken += 1
            self.connection = None
            time.sleep(0.05)

    def run(self):
        try:
            while not (self.over.is_set() and self.idle > 100):
                self.work()
        except Exception as error:  # noqa: BLE001: reported by the main thread
            self.failure = error

    def work(self):
        status, reply = self.call("/api/next?count=1")
        assert status == 200, reply
        if not reply["assignments"]:
            self.idle += 1
            return time.sleep(0.25)
        self.idle = 0
        held = reply["assignments"][0]
        items = held["question"]["items"]
        place = self.random.randrange(len(items))
        time.sleep(self.random.expovariate(1 / 0.1))
        status, reply = self.call("/api/answer", {"assignment": held["id"], "answer": {"said": {"kind": "comparison", "best": place}}})
        if status == 200:
            self.acknowledged.append((reply["sequence"], held["question"]["id"], items[place]["text"]))
        else:
            self.refused[status] += 1  # the lease ran out and somebody else was faster


def disturb(options, server, database, restarts):
    """Kills at even distances, the server and the database in turn."""
    began = time.monotonic()
    moments = [("server", (k + 0.5) / options.kills) for k in range(options.kills)]
    moments += [("database", (k + 0.25) / options.database_kills) for k in range(options.database_kills)]
    for what, share in sorted(moments, key=lambda each: each[1]):
        time.sleep(max(0.0, began + share * options.seconds - time.monotonic()))
        if what == "server":
            restarts.append(server.kill())
        else:
            database.kill()
    time.sleep(max(0.0, began + options.seconds - time.monotonic()))


def compare(rlhf, store, folder, annotators, gaps):
    exported = folder / "events.jsonl"
    subprocess.run([rlhf, "data", "export", "--store", store, "--to", "events", "--output", str(exported)], check=True, stdout=subprocess.DEVNULL)
    questions, answers, count_of = {}, {}, collections.Counter()
    for line in exported.open():
        event = json.loads(line)
        if event["kind"] == "question":
            questions[event["question"]] = event["body"]
        if event["kind"] == "answer":
            answers[event["question"]] = event
            count_of[event["question"]] += 1
    doubled = [question for question, count in count_of.items() if count > 1]
    lost, told = [], 0
    for annotator in annotators:
        for sequence, question, text in annotator.acknowledged:
            told += 1
            event = answers.get(question)
            # PostgreSQL leaves gaps in its numbers when it dies, and an export closes them: there the order has to do.
            if not event or event["annotator"] != annotator.who or event["sequence"] > sequence or \
                    (not gaps and event["sequence"] != sequence) or questions[question]["items"][event["body"]["said"]["best"]]["text"] != text:
                lost.append((sequence, question, text, event))
    for each in lost[:3]:
        print("lost:", *each, file=sys.stderr)
    return {"questions": len(questions), "answers": sum(count_of.values()), "acknowledged": told, "lost": len(lost),
            "doubled": len(doubled), "unanswered": len(questions) - len(count_of)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rlhf")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--database-kills", type=int, default=0)
    options = parser.parse_args()
    if options.postgres and not (POSTGRES / "initdb").exists():
        print("skipped: postgresql-15 is not installed")
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rlhf-soak-"))
    database = Database(folder) if options.postgres else None
    server, over, restarts, annotators = None, threading.Event(), [], []
    try:
        store = database.location if database else str(folder / "feedback.db")
        count = int(options.seconds * options.annotators * 6)
        rows = ({"prompt": f"Question {i}:", "completions": [f"first {i}", f"second {i}"]} for i in range(count))
        questions = folder / "questions.jsonl"
        questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
        server = Server(options.rlhf, store, folder, questions)
        annotators = [Annotator(number, server, over) for number in range(options.annotators)]
        for annotator in annotators:
            annotator.start()
        disturb(options, server, database, restarts)
        over.set()
        for annotator in annotators:
            annotator.join(timeout=max(120, options.seconds))
            assert annotator.failure is None and not annotator.is_alive(), f"{annotator.name}: {annotator.failure or 'still at work'}"
        server.process.terminate()
        assert server.process.wait(timeout=20) == 0 or server.process.returncode in (143, -15), server.process.returncode
        found = compare(options.rlhf, store, folder, annotators, gaps=options.postgres)
        found["broken_connections"] = sum(each.broken for each in annotators)
        found["refused"] = dict(sum((each.refused for each in annotators), collections.Counter()))
        found["kills"], found["database_kills"] = len(restarts), options.database_kills
        found["slowest_restart_seconds"] = round(max(restarts, default=0), 2)
        found["answers_each"] = [len(each.acknowledged) for each in annotators]
        print(json.dumps(found))
        assert found["acknowledged"] > options.annotators * 5 and min(found["answers_each"]) > 0, "hardly anything was answered"
        assert found["lost"] == 0, "acknowledged answers were lost"
        assert found["doubled"] == 0, "questions were answered twice"
        assert found["unanswered"] == 0, "questions are stuck"
        assert len(restarts) == options.kills, "the server was not killed as often as asked"
        return 0
    except BaseException:
        print((folder / "server.log").read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        over.set()
        if server and server.process.poll() is None:
            server.process.kill()
        if database:
            database.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
