#pragma once
#include <variant>

#include "rlhf/core/seed.h"
#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// One of several choices. Actions are int64 [rows].
struct Categorical {
  Tensor logits;  // [rows, choices]
};

/// Independent normals, one a number of the action. Actions are float32 [rows, numbers].
struct Gaussian {
  Tensor mean;           // [rows, numbers]
  Tensor log_deviation;  // [numbers] or [rows, numbers]
};

/// What a policy draws its actions from.
using Distribution = std::variant<Categorical, Gaussian>;

/// Draws one action a row; all chance comes from `random`, a row at a time.
Tensor draw(const Distribution& distribution, Random& random);

/// The likeliest action of each row.
Tensor mode(const Distribution& distribution);

struct Judgement {
  Tensor logprobs;  // [rows] natural logarithm of the probability (density) of each row's action
  Tensor entropy;   // [rows] of the distribution, nats
};

/// Both differentiable.
Judgement judge(const Distribution& distribution, const Tensor& actions);

}  // namespace rlhf::models
