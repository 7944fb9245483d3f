"""Reference numbers for tests/algorithms, from NumPy, torch and transformers, none of this project's code.

    python make_reference.py        (torch 2.15, transformers 5.23, numpy)
"""
import json
import math
import pathlib

import numpy
import torch
import transformers

here = pathlib.Path(__file__).resolve().parent
random = numpy.random.default_rng(7)
result = {}


def floats(array):
    return [float(x) for x in numpy.asarray(array, dtype=numpy.float32).reshape(-1)]


def gae():
    lengths = [5, 1, 0, 7, 3]
    starts = [0] + list(numpy.cumsum(lengths).tolist())
    rewards, values = random.normal(size=starts[-1]).astype("f"), random.normal(size=starts[-1]).astype("f")
    out = {"starts": starts, "rewards": floats(rewards), "values": floats(values), "cases": []}
    for gamma, lam in [(1.0, 0.95), (0.97, 0.8), (1.0, 1.0), (0.9, 0.0)]:
        # The definition: A_t = sum over k of (gamma lambda)^k delta_{t+k}, not the recursion.
        advantages = []
        for b, e in zip(starts, starts[1:]):
            v = list(values[b:e]) + [0.0]
            delta = [rewards[b + i] + gamma * v[i + 1] - v[i] for i in range(e - b)]
            advantages += [sum((gamma * lam) ** k * delta[i + k] for k in range(e - b - i)) for i in range(e - b)]
        advantages = numpy.array(advantages)
        out["cases"].append({"gamma": gamma, "lambda": lam, "advantages": floats(advantages), "returns": floats(advantages + values)})
    return out


def whitened():
    values, mask = random.normal(2, 3, size=20).astype("f"), random.random(20) > 0.3
    kept = values[mask].astype("d")
    out = {"values": floats(values), "mask": [bool(x) for x in mask], "cases": []}
    for shift in [True, False]:
        for unbiased in [True, False]:
            white = (kept - kept.mean()) / numpy.sqrt(kept.var(ddof=1 if unbiased else 0) + 1e-8) + (0 if shift else kept.mean())
            full = values.copy()
            full[mask] = white
            out["cases"].append({"shift_mean": shift, "unbiased": unbiased, "whitened": floats(full)})
    return out


def ppo():
    """Ragged completions padded into a rectangle, as most code has them; the masked mean must be the same."""
    lengths, clip = [4, 1, 6, 3, 5, 2], 0.2
    rows, width = len(lengths), max(lengths)
    mask = torch.zeros(rows, width, dtype=torch.bool)
    for i, n in enumerate(lengths):
        mask[i, :n] = True
    draw = lambda scale: torch.tensor(random.normal(0, scale, size=(rows, width)), dtype=torch.float32)
    old, advantages, old_values, returns = draw(1) - 2, draw(1), draw(1), draw(1)
    logprobs = (old + draw(0.3)).requires_grad_()
    values = (old_values + draw(0.4)).requires_grad_()
    mean = lambda x: (x * mask).sum() / mask.sum()
    ratio = (logprobs - old).exp()
    policy_terms = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip))
    policy_loss = mean(policy_terms)
    clipped = torch.max(torch.min(values, old_values + clip), old_values - clip)
    losses1, losses2 = (values - returns) ** 2, (clipped - returns) ** 2
    value_loss = 0.5 * mean(torch.max(losses1, losses2))
    (policy_loss + 0.1 * value_loss).backward()
    flat = lambda x: floats(x.detach()[mask])
    return {"clip": clip, "value_coefficient": 0.1, "lengths": lengths,
            "logprobs": flat(logprobs), "old_logprobs": flat(old), "advantages": flat(advantages),
            "values": flat(values), "old_values": flat(old_values), "returns": flat(returns),
            "policy_loss": policy_loss.item(), "value_loss": value_loss.item(),
            "logprob_gradient": flat(logprobs.grad), "value_gradient": flat(values.grad),
            "approx_kl": mean(0.5 * (logprobs - old) ** 2).item(),
            "policy_clip_fraction": mean((-advantages * ratio.clamp(1 - clip, 1 + clip) > -advantages * ratio).float()).item(),
            "value_clip_fraction": mean((losses2 > losses1).float()).item(),
            "explained_variance": (1 - (returns - old_values)[mask].var(unbiased=False) / returns[mask].var(unbiased=False)).item()}


def preferences():
    sizes, best, strength = [4, 2, 3, 4, 2], [2, 0, 1, 3, 0], [1.0, 2.0, 0.5, 1.0, 1.5]
    scores = torch.tensor(random.normal(size=sum(sizes)), dtype=torch.float32, requires_grad=True)
    total, at = 0, 0
    for n, b, w in zip(sizes, best, strength):
        total = total + w * torch.nn.functional.cross_entropy(scores[at:at + n].unsqueeze(0), torch.tensor([b]))
        at += n
    loss = total / sum(strength)
    loss.backward()
    return {"sizes": sizes, "best": best, "strength": strength, "scores": floats(scores.detach()), "loss": loss.item(), "gradient": floats(scores.grad)}


def optimisers():
    shapes = [(3, 4), (5,)]
    start = [random.normal(size=s).astype("f") for s in shapes]
    gradients = [[(random.normal(size=s) * 10.0 ** random.integers(-4, 1)).astype("f") for s in shapes] for _ in range(8)]
    rates = [0.01 * (1 - t / 8) for t in range(8)]
    out = {"start": [floats(p) for p in start], "gradients": [[floats(g) for g in step] for step in gradients], "rates": rates, "cases": []}

    def torch_case(weight_decay, max_norm, epsilon):
        parameters = [torch.nn.Parameter(torch.tensor(p)) for p in start]
        optimizer = torch.optim.AdamW(parameters, lr=1.0, betas=(0.9, 0.95), eps=epsilon, weight_decay=weight_decay)
        norms = []
        for rate, step in zip(rates, gradients):
            for p, g in zip(parameters, step):
                p.grad = torch.tensor(g)
            norms.append(torch.nn.utils.clip_grad_norm_(parameters, max_norm if max_norm > 0 else math.inf).item())
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        out["cases"].append({"form": "after_correction", "beta1": 0.9, "beta2": 0.95, "epsilon": epsilon, "weight_decay": weight_decay,
                             "max_grad_norm": max_norm, "norms": norms, "end": [floats(p.detach()) for p in parameters]})

    torch_case(0.0, 0.0, 1e-8)
    torch_case(0.1, 0.5, 1e-5)
    # TensorFlow 1's AdamOptimizer, as its documentation gives it: epsilon is added to sqrt(v) before any correction of v.
    weights = [p.astype("d") for p in start]
    m, v, norms = [0 * p for p in weights], [0 * p for p in weights], []
    for t, (rate, step) in enumerate(zip(rates, gradients), 1):
        norms.append(float(numpy.sqrt(sum((g.astype("d") ** 2).sum() for g in step))))
        rate_t = rate * math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
        for i, g in enumerate(step):
            g = g.astype("d")
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            weights[i] = weights[i] - rate_t * m[i] / (numpy.sqrt(v[i]) + 1e-5)
    out["cases"].append({"form": "before_correction", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-5, "weight_decay": 0.0,
                         "max_grad_norm": 0.0, "norms": norms, "end": [floats(p) for p in weights]})
    return out


def schedules():
    out = []
    for kind in ["constant_with_warmup", "linear", "cosine"]:
        for warmup in [0, 3]:
            parameter = torch.nn.Parameter(torch.zeros(1))
            optimizer = torch.optim.SGD([parameter], lr=0.5)
            schedule = transformers.get_scheduler(kind, optimizer, num_warmup_steps=warmup, num_training_steps=10)
            rates = []
            for _ in range(10):
                rates.append(schedule.get_last_lr()[0])
                optimizer.step()
                schedule.step()
            out.append({"kind": kind.split("_")[0], "warmup": warmup, "rates": rates})
    return out


def sft():
    model = transformers.AutoModelForCausalLM.from_pretrained(here.parent / "models" / "llama_tied", dtype=torch.float32)
    examples, total, count, entropy, right = [], 0, 0, 0, 0
    for length, prompt in [(9, 4), (17, 1), (6, 5)]:
        ids = [int(x) for x in random.integers(0, 256, size=length)]
        mask = [0] * prompt + [1] * (length - prompt)
        logits = model(torch.tensor([ids])).logits[0, :-1].float()
        log_share = logits.log_softmax(-1)
        keep, target = torch.tensor(mask[1:], dtype=torch.bool), torch.tensor(ids[1:])
        total = total - log_share[torch.arange(length - 1), target][keep].sum()
        entropy += -(log_share.exp() * log_share).sum(-1)[keep].sum().item()
        right += (logits.argmax(-1) == target)[keep].sum().item()
        count += int(keep.sum())
        examples.append({"ids": ids, "mask": mask})
    loss = total / count
    loss.backward()
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters())).item()
    return {"examples": examples, "loss": loss.item(), "entropy": entropy / count, "accuracy": right / count, "grad_norm": norm}


for part in [gae, whitened, ppo, preferences, optimisers, schedules, sft]:
    result[part.__name__] = part()
(here / "reference.json").write_text(json.dumps(result) + "\n")
