"""Writes rank_tests.json: Kruskal-Wallis and Mann-Whitney tests and chi-square tails by scipy.

    python tests/reference/evaluation/rank_tests.py     (needs numpy, scipy)
"""
import json
import pathlib

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261127)
cases = []
for sizes, shifts, step in [((8, 9, 7), (0, 0, 0), 0), ((12, 15, 11), (0, 0.8, 1.6), 0), ((20, 20, 20), (0, 0.4, 0.9), 1),
                            ((5, 30), (0, 1.0), 0.5), ((6, 7, 8, 9), (0, 0.1, 2, 4), 1), ((60, 60, 60), (0, 2, 4), 0)]:
    groups = [rng.normal(size=n) + shift for n, shift in zip(sizes, shifts)]
    groups = [np.round(g / step) * step if step else np.round(g, 4) for g in groups]
    h, p = stats.kruskal(*groups)
    pairs = [stats.mannwhitneyu(a, b, alternative="two-sided", method="asymptotic", use_continuity=True)
             for i, a in enumerate(groups) for b in groups[i + 1:]]
    cases.append({"groups": [g.tolist() for g in groups], "h": h, "p": p, "u": [r.statistic for r in pairs],
                  "u_p": [r.pvalue for r in pairs]})
tails = [[x, k, stats.chi2.sf(x, k)] for x in (0.01, 0.5, 2.0, 7.3, 40.0, 200.0) for k in (1, 2, 3, 9)]
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"cases": cases, "tails": tails}) + "\n")
print(path.stat().st_size, "bytes")
