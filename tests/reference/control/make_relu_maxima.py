#!/usr/bin/env python3
"""Largest values of random networks with relu over a box, by HiGHS: the mixed-integer programme in its big-M form.

  python make_relu_maxima.py     (scipy 1.17) writes relu_maxima.json beside itself
"""
import json
import pathlib

import numpy as np
import scipy
from scipy.optimize import LinearConstraint, milp

rng = np.random.default_rng(8)


def largest(layers, low, high):
    """Variables: inputs, then value and sign of every hidden unit."""
    hidden = [len(bias) for _, bias in layers[:-1]]
    count = len(low) + 2 * sum(hidden)
    rows, upper_limits = [], []
    least, most = np.full(count, 0.0), np.full(count, 1.0)
    least[:len(low)], most[:len(low)] = low, high
    integral = np.zeros(count)
    bounds, before, place = (np.array(low), np.array(high)), np.arange(len(low)), len(low)

    def at_most(entries, limit):
        row = np.zeros(count)
        for index, factor in entries:
            row[index] += factor
        rows.append(row), upper_limits.append(limit)

    for weight, bias in layers[:-1]:
        low_s = np.where(weight > 0, weight * bounds[0], weight * bounds[1]).sum(1) + bias
        high_s = np.where(weight > 0, weight * bounds[1], weight * bounds[0]).sum(1) + bias
        values, signs = np.arange(place, place + len(bias)), np.arange(place + len(bias), place + 2 * len(bias))
        place += 2 * len(bias)
        for i, (z, on) in enumerate(zip(values, signs)):
            l, u = min(low_s[i], 0.0), max(high_s[i], 0.0)
            s = list(zip(before, weight[i]))
            at_most([*s, (z, -1)], -bias[i])                               # z >= s
            at_most([(z, 1), *((k, -f) for k, f in s), (on, -l)], bias[i] - l)  # z <= s - l (1 - on)
            at_most([(z, 1), (on, -u)], 0)                                 # z <= u on
            most[z], integral[on] = u, 1
        bounds, before = (np.maximum(low_s, 0), np.maximum(high_s, 0)), values
    weight, bias = layers[-1]
    cost = np.zeros(count)
    cost[before] = -weight[0]
    found = milp(cost, constraints=LinearConstraint(np.array(rows), -np.inf, np.array(upper_limits)),
                 integrality=integral, bounds=scipy.optimize.Bounds(least, most), options={"mip_rel_gap": 1e-9})
    assert found.success
    return -found.fun + bias[0]


record = {"scipy": scipy.__version__, "networks": []}
for widths in ([1, 8, 1], [2, 12, 1], [3, 8, 6, 1], [2, 16, 16, 1], [6, 10, 6, 1]):
    layers = [(rng.normal(size=(out, into)).round(3) / np.sqrt(into).round(3), rng.normal(size=out).round(3) * 0.5)
              for into, out in zip(widths, widths[1:])]
    layers = [(weight.round(4), bias.round(4)) for weight, bias in layers]
    low, high = [-1.0] * widths[0], [1.0] * widths[0]
    record["networks"].append({
        "layers": [{"weights": weight.tolist(), "biases": bias.tolist()} for weight, bias in layers],
        "maximum": float(largest(layers, low, high))
    })
pathlib.Path(__file__).with_name("relu_maxima.json").write_text(json.dumps(record) + "\n")
