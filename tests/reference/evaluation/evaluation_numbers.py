"""Writes evaluation_numbers.json: quantiles, clustered bootstrap intervals and correlations by numpy.

    python tests/reference/evaluation/evaluation_numbers.py     (needs numpy)
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(20260112)


def bootstrap(name, values, clusters):
    groups = [np.flatnonzero(np.array(clusters) == c) for c in dict.fromkeys(clusters)]
    values = np.array(values)
    means = []
    for _ in range(40000):
        drawn = np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
        means.append(values[drawn].mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return {"name": name, "values": values.tolist(), "clusters": clusters, "mean": values.mean(), "low": low, "high": high}


def ranks(x):
    x = np.asarray(x)
    return np.array([(x < v).sum() + ((x == v).sum() + 1) / 2 for v in x])


def correlation(left, right):
    return {"left": list(map(float, left)), "right": list(map(float, right)), "pearson": np.corrcoef(left, right)[0, 1],
            "spearman": np.corrcoef(ranks(left), ranks(right))[0, 1]}


even = [f"p{i // 5}" for i in range(150)]
uneven = [f"p{int(i ** 0.5)}" for i in range(200)]
shift = dict.fromkeys(even + uneven)
for key in shift:
    shift[key] = rng.normal()
sorted_values = np.sort(np.round(rng.normal(size=37), 4))
left = rng.normal(size=40)
result = {
    "quantiles": {"sorted": sorted_values.tolist(), "at": {str(q): np.quantile(sorted_values, q) for q in (0.0, 0.025, 0.1, 0.5, 0.77, 0.975, 1.0)}},
    "bootstrap": [bootstrap("even clusters", [round(float(shift[c] + 0.3 * rng.normal()), 4) for c in even], even),
                  bootstrap("uneven clusters", [round(float(shift[c] + 0.3 * rng.normal()), 4) for c in uneven], uneven)],
    "correlation": [correlation(left, 0.5 * left + rng.normal(size=40)),
                    correlation(rng.integers(0, 4, size=30), rng.integers(0, 6, size=30))],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result) + "\n")
print(path.stat().st_size, "bytes")
