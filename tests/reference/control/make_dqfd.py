#!/usr/bin/env python3
"""Two updates of DQfD on made-up data: weights before and after, written apart from any deep learning library.

  python make_dqfd.py     (autograd 1.9, numpy) writes dqfd.json beside itself

The duelling network has two hidden layers of 8 (relu); its last layer gives three advantages and the value. Everything
is computed in double precision; gradients are autograd's, Adam is written out below.
"""
import json
import pathlib

import autograd
import autograd.numpy as np
import numpy

ROWS, SEEN, CHOICES = 12, 3, 3
MARGIN, MARGIN_WEIGHT, L2 = 0.8, 1.3, 1e-3
RATE, EPSILON, MAX_NORM, GAMMA, N = 3e-3, 1.5e-4, 0.5, 0.97, 3
rng = numpy.random.default_rng(11)


def network():
    widths = [SEEN, 8, 8, CHOICES + 1]
    return {f"{i}.{what}": rng.normal(size=shape) * 0.5
            for i in range(3) for what, shape in (("weight", (widths[i + 1], widths[i])), ("bias", (widths[i + 1],)))}


def values(weights, seen):
    hidden = seen
    for i in range(3):
        hidden = hidden @ weights[f"{i}.weight"].T + weights[f"{i}.bias"]
        if i < 2:
            hidden = np.maximum(hidden, 0)
    advantages = hidden[:, :CHOICES]
    return hidden[:, CHOICES:] + advantages - advantages.mean(axis=1, keepdims=True)


def huber(error):
    size = np.abs(error)
    return np.where(size < 1, 0.5 * error ** 2, size - 0.5)


def target_of(online, target, rewards, following, discounts):
    choice = values(online, following).argmax(axis=1)
    return rewards + discounts * values(target, following)[numpy.arange(ROWS), choice]


def loss_of(weights, y_one, y_n, batch):
    q = values(weights, batch["observations"])
    of_action = np.eye(CHOICES)[batch["actions"]]
    value = (q * of_action).sum(axis=1)
    td = (batch["weights"] * (huber(value - y_one) + huber(value - y_n))).mean()
    expert = (batch["demonstrated"] * (np.max(q + MARGIN * (1 - of_action), axis=1) - value)).mean()
    return td + MARGIN_WEIGHT * expert + L2 * sum((weight ** 2).sum() for weight in weights.values())


online, target = network(), network()
terminated = rng.random(ROWS) < 0.5  # within the window
at_once = terminated & (numpy.arange(ROWS) % 2 == 0)  # in its first step
batch = {"observations": rng.normal(size=(ROWS, SEEN)), "actions": rng.integers(CHOICES, size=ROWS),
         "rewards": 2 * rng.normal(size=ROWS), "next_observations": rng.normal(size=(ROWS, SEEN)),
         "discounts": numpy.where(terminated, 0, GAMMA ** N), "first_rewards": 2 * rng.normal(size=ROWS),
         "first_next_observations": rng.normal(size=(ROWS, SEEN)), "first_discounts": numpy.where(at_once, 0, GAMMA),
         "weights": rng.uniform(0.2, 1, ROWS), "demonstrated": (rng.random(ROWS) < 0.5).astype(float)}
before = {name: weight.copy() for name, weight in online.items()}
first = {name: numpy.zeros_like(weight) for name, weight in online.items()}
second = {name: numpy.zeros_like(weight) for name, weight in online.items()}
losses = []
for step in (1, 2):
    y_one = target_of(online, target, batch["first_rewards"], batch["first_next_observations"],
                      batch["first_discounts"])
    y_n = target_of(online, target, batch["rewards"], batch["next_observations"], batch["discounts"])
    losses.append(float(loss_of(online, y_one, y_n, batch)))
    gradients = autograd.grad(loss_of)(online, y_one, y_n, batch)
    norm = numpy.sqrt(sum((gradient ** 2).sum() for gradient in gradients.values()))
    for name, gradient in gradients.items():
        gradient = gradient * min(1, MAX_NORM / norm)
        first[name] = 0.9 * first[name] + 0.1 * gradient
        second[name] = 0.999 * second[name] + 0.001 * gradient ** 2
        rate = RATE / (1 - 0.9 ** step)
        online[name] = online[name] - rate * first[name] / (numpy.sqrt(second[name] / (1 - 0.999 ** step)) + EPSILON)


def as_lists(arrays):
    return {name: numpy.asarray(array).flatten().tolist() for name, array in arrays.items()}


record = {
    "autograd": "1.9", "margin": MARGIN, "margin_weight": MARGIN_WEIGHT, "l2": L2, "learning_rate": RATE,
    "epsilon": EPSILON, "max_grad_norm": MAX_NORM, "before": as_lists(before), "target": as_lists(target),
    "batch": as_lists(batch), "losses": losses, "after": as_lists(online)
}
pathlib.Path(__file__).with_name("dqfd.json").write_text(json.dumps(record, indent=0) + "\n")
