"""Writes vader_real_text.json.gz: scores of vaderSentiment for real text that may not be copied into this repository.

A text is named by the first 12 digits of its SHA-256; the test finds the texts in the folder of data sets that lies
beside the repository, where there is one.

    python tests/reference/rewards/vader_real_text.py DATA_FOLDER     (needs vaderSentiment==3.3.2, Python < 3.12)
"""
import gzip
import hashlib
import json
import pathlib
import sys

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

# form "lines": each line is a text; "tab": each line up to its last tab; a key: that key of each JSON line.
SOURCES = [
    {"file": "sst2/dev.tsv", "form": "tab", "limit": 6800},
    {"file": "rotten-tomatoes/rt-polarity.pos", "form": "lines", "limit": 700},
    {"file": "rotten-tomatoes/rt-polarity.neg", "form": "lines", "limit": 700},
    {"file": "toxic-classification/davidson_tweets.csv", "form": "lines", "limit": 1500},
    {"file": "imdb/test.jsonl", "form": "text", "limit": 500},
    {"file": "oasst1-100/pairs.jsonl", "form": "chosen", "limit": 200},
]


def texts(folder, source):
    lines = (folder / source["file"]).read_bytes().split(b"\n")[: source["limit"]]
    for line in lines:
        if source["form"] == "lines":
            yield line.decode("utf-8")
        elif source["form"] == "tab":
            yield line.decode("utf-8").rpartition("\t")[0]
        elif line:
            value = json.loads(line)[source["form"]]
            yield value if isinstance(value, str) else json.dumps(value)


folder = pathlib.Path(sys.argv[1])
analyzer = SentimentIntensityAnalyzer()
scores = {}
for source in SOURCES:
    for text in texts(folder, source):
        score = analyzer.polarity_scores(text)
        scores[hashlib.sha256(text.encode()).hexdigest()[:12]] = [score[k] for k in ("neg", "neu", "pos", "compound")]
path = pathlib.Path(__file__).with_suffix(".json.gz")
content = json.dumps({"sources": SOURCES, "scores": scores}, separators=(",", ":")).encode()
path.write_bytes(gzip.compress(content, mtime=0))
print(f"{len(scores)} texts, {path.stat().st_size} bytes")
