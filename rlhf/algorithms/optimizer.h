#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/core/run.h"
#include "rlhf/core/tensor.h"

namespace rlhf::algorithms {

/// Tensors to train under their names. The tensors are handles: the optimiser changes the weights in place.
using NamedParameters = std::vector<std::pair<std::string, Tensor>>;

/// Norm over the gradients of all parameters, before any clipping. Throws rlhf::Error, with the names at fault, when one
/// is not finite.
double gradient_norm(const NamedParameters& parameters);

/// Where Adam's epsilon goes. The difference is large early on: at step 1 TensorFlow's form weighs it 31.6 times more.
enum class AdamEpsilon {
  after_correction,   // PyTorch:    m̂ / (sqrt(v̂) + eps)
  before_correction,  // TensorFlow: lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps), what the 2019-2020 RLHF code used
};

struct AdamConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  AdamEpsilon epsilon_form = AdamEpsilon::after_correction;
  double weight_decay = 0.0;   // decoupled (Loshchilov & Hutter 2019): weight -= lr * weight_decay * weight
  double max_grad_norm = 1.0;  // gradients are scaled down to this norm over all parameters; 0 = never

  void fields(Fields& f);
  void validate() const;
};

/// AdamW in one pass over memory: gradient, both moments and the weight are read and written once per step.
class AdamW {
 public:
  /// Throws rlhf::Error when there is nothing to train or a tensor is not contiguous float32.
  AdamW(NamedParameters parameters, const AdamConfig& config);

  /// One update at this learning rate; parameters without a gradient are left alone. Returns the gradient norm over all
  /// parameters before clipping. Throws rlhf::Error, with the names at fault, when a gradient is not finite; nothing has
  /// changed then.
  double step(double learning_rate);

  /// Drops the gradients; the next backward pass makes new ones without adding to old.
  void zero_grad();

  std::int64_t steps() const { return steps_; }
  const NamedParameters& parameters() const { return parameters_; }

  /// Moments and step count under "<prefix>...", bit for bit.
  void save(State& state, const std::string& prefix) const;
  void restore(const State& state, const std::string& prefix);

 private:
  NamedParameters parameters_;
  std::vector<Tensor> first_, second_;  // exponential averages of the gradient and of its square
  AdamConfig config_;
  std::int64_t steps_ = 0;
};

/// The parameters themselves, in float32 whatever precision a model folder is written in: what makes resuming exact.
void save_parameters(const NamedParameters& parameters, State& state);
void restore_parameters(const NamedParameters& parameters, const State& state);

}  // namespace rlhf::algorithms
