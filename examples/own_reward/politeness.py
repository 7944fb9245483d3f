"""A reward of your own in Python: one JSON object a line comes in, one goes out."""
import json
import sys

POLITE = ("please", "thank", "sorry", "welcome", "kind")

for line in sys.stdin:
    asked = json.loads(line)
    words = asked["completion"].lower().split()
    polite = sum(word.startswith(POLITE) for word in words)
    print(json.dumps({"id": asked["id"], "score": polite / max(len(words), 1), "parts": {"polite": polite}}), flush=True)
