"""Writes over_seeds.json: interquartile means by scipy, their bootstrap intervals by numpy.

    python tests/reference/evaluation/over_seeds.py     (needs numpy, scipy)
"""
import json
import pathlib

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261127)


def case(tasks):
    tasks = [np.round(np.asarray(task), 4) for task in tasks]
    trimmed = lambda values: stats.trim_mean(values, 0.25)
    drawn = [trimmed(np.concatenate([rng.choice(task, len(task)) for task in tasks])) for _ in range(40000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"tasks": [task.tolist() for task in tasks], "mean": trimmed(np.concatenate(tasks)), "low": low, "high": high}


result = [case([rng.normal(size=3)]), case([rng.normal(size=10)]), case([rng.normal(i, 1 + i, size=5 + i) for i in range(4)])]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result) + "\n")
print(path.stat().st_size, "bytes")
