#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/core/tensor.h"

namespace rlhf::models {

/// Weights under their names, in an order that never changes.
using NamedWeights = std::vector<std::pair<std::string, Tensor>>;

/// A small network of an agent: what it sees in, numbers out.
class Network {
 public:
  virtual ~Network() = default;

  /// encoded [rows, ...] float32, as an Encoder makes it -> [rows, outputs]. Differentiable where gradients are on.
  virtual Tensor forward(const Tensor& encoded) const = 0;

  /// The same while a share (0 .. 1) of the hidden units is left out, for each row others, and the rest made up for
  /// (Srivastava et al. 2014). Which ones is a function of `seed`. Of convolutions, the units of their maps are meant.
  /// Throws rlhf::Error (usage) for residual ones.
  virtual Tensor forward_dropping(const Tensor& encoded, double share, std::uint64_t seed) const;

  /// Handles to the weights, which a training step changes in place.
  virtual NamedWeights weights() const = 0;
};

enum class Architecture {
  mlp,     // fully connected
  nature,  // the convolutions of Mnih et al. 2015 (Nature 518) and one hidden layer of 512
  impala,  // three residual stages of Espeholt et al. 2018 (arXiv:1802.01561), hidden layer of 256
  narrow,  // four convolutions of 16 channels and a hidden layer of 64, leaky ReLU: the reward model of Christiano et
           // al. 2017 (arXiv:1706.03741, appendix A.2)
};

enum class Activation { tanh, relu, leaky_relu };  // leaky_relu: slope 0.01

enum class Initial {
  orthogonal,  // gain sqrt(2), `output_gain` in the last layer, biases 0: what PPO's code uses
  uniform,     // within ±1/sqrt(inputs), biases too: PyTorch's own, what DQN's and SAC's code uses
};

struct NetworkConfig {
  Architecture architecture = Architecture::mlp;
  std::vector<std::int64_t> hidden = {64, 64};  // of an mlp
  Activation activation = Activation::tanh;     // of an mlp; convolutions have their own
  Initial initial = Initial::orthogonal;

  void fields(Fields& f);
  void validate() const;
};

/// Shape [...] of what it sees without the rows; `outputs` numbers come out. Throws rlhf::Error (usage) when the
/// architecture cannot read that shape.
std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::vector<std::int64_t>& seen,
                                      std::int64_t outputs, double output_gain, std::uint64_t seed);

/// Copies weights of one network to another of the same architecture: target <- target + share (source - target).
void copy_weights(const Network& source, const Network& target, double share = 1.0);

/// [outputs, inputs] with orthonormal rows or columns, whichever are fewer, times `gain`.
Tensor orthogonal(std::int64_t outputs, std::int64_t inputs, double gain, std::uint64_t seed);

}  // namespace rlhf::models
