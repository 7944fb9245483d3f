"""Writes agreement_numbers.json: agreement and reliability by packages that others wrote, on published tables and on made-up answers.

    python tests/reference/feedback/agreement_numbers.py
    (needs krippendorff 0.9.0, statsmodels 0.15.0, scikit-learn 1.9.1, scipy 1.17.1, crowd-kit 1.4.2)
"""
import json
import pathlib

import krippendorff
import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene
from scipy.optimize import minimize
from scipy.special import log_expit
from scipy.stats import kendalltau
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.tests.test_inter_rater import diagnoses  # Fleiss 1971, table 1

rng = np.random.default_rng(20261123)
nan = np.nan
# Krippendorff 2011, section C: four observers, twelve units; published: nominal .743, ordinal .815, interval .849, ratio .797.
KRIPPENDORFF_2011 = [[1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
                     [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan]]
# Cohen 1960, table 1: two psychiatrists, 200 patients; published: kappa .492.
COHEN_1960 = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]


def rows(matrix):
    return [[None if np.isnan(v) else float(v) for v in row] for row in matrix]


def alpha_case(name, matrix, published=None):
    levels = ["nominal", "ordinal", "interval", "ratio"]
    out = {"name": name, "annotators": rows(matrix), "published": published}
    out |= {level: krippendorff.alpha(reliability_data=np.array(matrix, float), level_of_measurement=level) for level in levels}
    return out


def sparse_ratings(annotators, items, values, present):
    truth = rng.integers(1, values + 1, size=items)
    ratings = np.clip(truth + rng.integers(-1, 2, size=(annotators, items)), 1, values).astype(float)
    ratings[rng.random((annotators, items)) > present] = nan
    return ratings


def alpha_interval(matrix, level):
    """The usual bootstrap by question; columns with fewer than two answers carry nothing."""
    matrix = np.array(matrix, float)
    matrix = matrix[:, (~np.isnan(matrix)).sum(0) >= 2]
    drawn = [krippendorff.alpha(reliability_data=matrix[:, rng.integers(matrix.shape[1], size=matrix.shape[1])], level_of_measurement=level)
             for _ in range(4000)]
    return np.quantile(drawn, [0.025, 0.975]).tolist()


def kappas(table):
    one = np.repeat(np.arange(len(table)), np.sum(table, axis=1))
    other = np.concatenate([np.repeat(np.arange(len(table)), row) for row in table])
    return {"table": np.array(table).tolist(), "none": cohen_kappa_score(one, other), "linear": cohen_kappa_score(one, other, weights="linear"),
            "quadratic": cohen_kappa_score(one, other, weights="quadratic")}


def dawid_skene_case():
    accuracy = [0.95, 0.85, 0.75, 0.6, 0.34]
    truth = rng.integers(0, 3, size=300)
    answers = []
    for item, true in enumerate(truth):
        for annotator, right in enumerate(accuracy):
            if rng.random() < 0.7:
                said = true if rng.random() < right else rng.choice([c for c in range(3) if c != true])
                answers.append([annotator, item, int(said)])
    frame = pd.DataFrame(answers, columns=["worker", "task", "label"])
    model = DawidSkene(n_iter=2000, tol=1e-13).fit(frame)
    errors = model.errors_
    confusion = [[[float(errors.loc[(a, said), true]) for said in range(3)] for true in range(3)] for a in range(5)]
    probabilities = model.probas_.reindex(range(300))[[0, 1, 2]]
    return {"answers": answers, "annotators": 5, "items": 300, "categories": 3, "truth": truth.tolist(), "confusion": confusion,
            "share": [float(v) for v in model.priors_[[0, 1, 2]]], "posterior": rows(probabilities.to_numpy())}


def reliability_case():
    items, beta, side = 12, np.array([2.0, 1.0, 0.0, -1.0]), np.array([0.0, 0.5, 2.0, 0.0])
    strength = rng.normal(size=items)
    answers = []
    for _ in range(400):
        one, other = rng.choice(items, 2, replace=False)
        u, left = rng.integers(4), rng.choice([-1, 1])
        chance = 1 / (1 + np.exp(-(beta[u] * (strength[one] - strength[other]) + side[u] * left)))
        answers.append([int(u), int(one), int(other), 0.5 if rng.random() < 0.05 else float(rng.random() < chance), int(left)])
    u, one, other, preferred, left = (np.array(column) for column in zip(*answers))

    def loss(x):
        r, b, s = x[:items], x[items:items + 4], x[items + 4:]
        logit = b[u] * (r[one] - r[other]) + s[u] * left
        data = preferred * log_expit(logit) + (1 - preferred) * log_expit(-logit)
        return -data.sum() + 0.5 * (r @ r + (b - 1) @ (b - 1) + s @ s)

    best = minimize(loss, np.concatenate([np.zeros(items), np.ones(4), np.zeros(4)]), method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
    return {"answers": answers, "items": items, "annotators": 4, "strength": best.x[:items].tolist(),
            "reliability": best.x[items:items + 4].tolist(), "side": best.x[items + 4:].tolist(), "loss": best.fun}


sparse = sparse_ratings(5, 60, 7, 0.5)
choices = np.where(np.isnan(sparse), nan, np.minimum(sparse, 3))
rankings = [([0, 1, 2, 3], [0, 1, 2, 3]), ([0, 1, 2, 3], [3, 2, 1, 0]), ([0, 0, 1, 2], [0, 1, 1, 2]), ([0, 1, 1, 1, 2], [2, 0, 1, 1, 1])]
rankings += [(rng.integers(0, 4, 6).tolist(), rng.integers(0, 4, 6).tolist()) for _ in range(6)]
result = {
    "krippendorff": [alpha_case("Krippendorff 2011", KRIPPENDORFF_2011, [0.743, 0.815, 0.849, 0.797]),
                     alpha_case("sparse ratings", sparse), alpha_case("sparse choices", choices)],
    "alpha_interval": {"annotators": rows(sparse), "level": "interval", "interval": alpha_interval(sparse, "interval")},
    "cohen": [kappas(COHEN_1960), kappas(rng.integers(0, 30, size=(4, 4))), kappas(rng.integers(0, 9, size=(2, 2)))],
    "fleiss": [{"answers": diagnoses.tolist(), "kappa": fleiss_kappa(aggregate_raters(diagnoses)[0]), "published": 0.430}],
    "kendall": [{"one": one, "other": other, "tau": kendalltau(one, other).statistic} for one, other in rankings],
    "wilson": [{"yes": k, "n": n, "interval": list(proportion_confint(k, n, method="wilson"))} for k, n in [(0, 5), (1, 10), (7, 10), (50, 50), (812, 1000)]],
    "dawid_skene": dawid_skene_case(),
    "reliability": reliability_case(),
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result) + "\n")
print(path.stat().st_size, "bytes;", {case["name"]: round(case["nominal"], 3) for case in result["krippendorff"]})
