"""What the scripts that act as a page share: starting a server of the program, and calling it."""
import json
import subprocess
import urllib.request


def start(rlhf, *arguments):
    """A server of the program on a free port, and its address."""
    server = subprocess.Popen([rlhf, "--json", *map(str, arguments), "--port", "0"], stdout=subprocess.PIPE, text=True)
    return server, json.loads(server.stdout.readline())["url"]


def call(url, path, body=None, name="anna"):
    request = urllib.request.Request(url + path, headers={"Cookie": f"rlhf_name={name}", "Content-Type": "application/json"},
                                     data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)
