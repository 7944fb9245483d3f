#!/usr/bin/env python3
"""Two updates of d3rlpy's CQL and DiscreteCQL on made-up data: weights before and after.

  python make_cql.py     (d3rlpy 2.8, torch) writes cql.json beside itself

Networks have two hidden layers of 8. CQL's chance is handed in and written down, in the order [rows, samples, numbers].
"""
import json
import pathlib

import d3rlpy
import numpy as np
import torch
from d3rlpy.models.encoders import VectorEncoderFactory
from d3rlpy.torch_utility import TorchMiniBatch

ROWS, SEEN, NUMBERS, SAMPLES, GAMMA = 12, 3, 2, 4, 0.97
torch.manual_seed(5)
torch.set_num_threads(1)
rng = np.random.default_rng(7)


def normal(*shape):
    return torch.as_tensor(rng.normal(size=shape).astype(np.float32))


def numbers(tensor):
    return [float(each) for each in torch.as_tensor(tensor).detach().double().flatten()]


def linear(module):
    return [each for each in module.modules() if isinstance(each, torch.nn.Linear)]


def layers(prefix, modules):
    out = {}
    for i, module in enumerate(modules):
        out |= {f"{prefix}{i}.weight": numbers(module.weight), f"{prefix}{i}.bias": numbers(module.bias)}
    return out


def shake(module, size):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(size * torch.randn_like(parameter))


def batch_of(actions):
    dones = (rng.random((ROWS, 1)) < 0.25).astype(np.float32)
    ones = torch.ones(ROWS, 1)
    batch = TorchMiniBatch(observations=normal(ROWS, SEEN), actions=actions, rewards=normal(ROWS, 1),
                           next_observations=normal(ROWS, SEEN), next_actions=actions, returns_to_go=ones,
                           terminals=torch.as_tensor(dones), intervals=ones, device="cpu")
    record = {
        name: numbers(getattr(batch, name))
        for name in ("observations", "actions", "rewards", "next_observations")
    }
    return batch, {**record, "dones": numbers(batch.terminals)}


ENCODER = VectorEncoderFactory([8, 8])


def continuous():
    config = d3rlpy.algos.CQLConfig(actor_encoder_factory=ENCODER, critic_encoder_factory=ENCODER, gamma=GAMMA,
                                    n_action_samples=SAMPLES, actor_learning_rate=3e-3, critic_learning_rate=1e-3,
                                    temp_learning_rate=3e-3, alpha_learning_rate=3e-3, alpha_threshold=2.0)
    algo = config.create(device="cpu")
    algo.create_impl((SEEN,), NUMBERS)
    impl, modules = algo.impl, algo.impl._modules
    for module in (modules.policy, *modules.q_funcs, *modules.targ_q_funcs):
        shake(module, 0.2)

    def weights():
        policy, out = modules.policy, {}
        hidden = linear(policy._encoder)
        out |= layers("policy.", hidden)
        out[f"policy.{len(hidden)}.weight"] = numbers(torch.cat([policy._mu.weight, policy._logstd.weight]))
        out[f"policy.{len(hidden)}.bias"] = numbers(torch.cat([policy._mu.bias, policy._logstd.bias]))
        for i in range(2):
            for name, functions in (("critic", modules.q_funcs), ("target", modules.targ_q_funcs)):
                out |= layers(f"{name}{i}.", [*linear(functions[i]._encoder), functions[i]._fc])
        return {
            **out, "log_temperature": numbers(modules.log_temp._parameter),
            "log_alpha": numbers(modules.log_alpha._parameter)
        }

    batch, data = batch_of(torch.tanh(normal(ROWS, NUMBERS)))
    noises, handed, uniforms = [], [], []
    for _ in range(2):
        now, following, policy = normal(SAMPLES, ROWS, NUMBERS), normal(SAMPLES, ROWS, NUMBERS), normal(ROWS, NUMBERS)
        uniform = torch.as_tensor(rng.uniform(-1, 1, (ROWS * SAMPLES, NUMBERS)).astype(np.float32))
        handed += [now, following, policy]
        uniforms.append(uniform)
        noises.append({"now": numbers(now.transpose(0, 1)), "next": numbers(following.transpose(0, 1)),
                       "uniform": numbers(uniform), "policy": numbers(policy)})
    torch.distributions.normal._standard_normal = lambda shape, dtype, device: handed.pop(0).view(shape)
    original = torch.Tensor.uniform_
    torch.Tensor.uniform_ = lambda self, *_: self.copy_(uniforms.pop(0))
    before, after = weights(), []
    for step in range(2):
        impl.inner_update(batch, step)
        after.append(weights())
    torch.Tensor.uniform_ = original
    assert not handed and not uniforms
    return {"before": before, "after": after, "batch": data, "noises": noises, "gamma": GAMMA, "samples": SAMPLES}


def discrete():
    config = d3rlpy.algos.DiscreteCQLConfig(encoder_factory=ENCODER, gamma=GAMMA, learning_rate=3e-3, alpha=0.7)
    algo = config.create(device="cpu")
    algo.create_impl((SEEN,), 3)
    impl, modules = algo.impl, algo.impl._modules
    for module in (*modules.q_funcs, *modules.targ_q_funcs):
        shake(module, 0.3)

    def weights(functions):
        return layers("", [*linear(functions[0]._encoder), functions[0]._fc])

    batch, data = batch_of(torch.as_tensor(rng.integers(3, size=(ROWS, 1))))
    before, target, after = weights(modules.q_funcs), weights(modules.targ_q_funcs), []
    for step in (1, 2):
        impl.inner_update(batch, step)
        after.append(weights(modules.q_funcs))
    return {"before": before, "target": target, "after": after, "batch": data, "gamma": GAMMA, "alpha": 0.7}


record = {"d3rlpy": d3rlpy.__version__, "continuous": continuous(), "discrete": discrete()}
pathlib.Path(__file__).with_name("cql.json").write_text(json.dumps(record, indent=0) + "\n")
