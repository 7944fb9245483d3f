#pragma once
#include "rlhf/models/action_head.h"
#include "rlhf/models/actor_critic.h"

namespace rlhf::models {

struct RecurrentConfig {
  std::int64_t width = 64;     // of the layer before the memory, and of the memory
  double log_deviation = 0.0;  // at the start, of the actions of a Box
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// A policy and its value that remember: one layer (tanh), one LSTM (Hochreiter & Schmidhuber 1997) that both share, and
/// a linear output for each. Weights are orthogonal, biases and the first memory 0. Each row is an episode of its own.
class RecurrentActorCritic {
 public:
  RecurrentActorCritic(const environments::Spec& spec, const RecurrentConfig& config);

  struct Step {
    ActorCritic::Judged judged;
    Tensor memory;  // [rows, 2 width] hidden state and cell after it
  };
  /// encoded [rows, ...], memory [rows, 2 width] before it.
  Step step(const Tensor& encoded, const Tensor& memory) const;

  /// Whole sequences, from the memory before their first step. Differentiable through time.
  ///
  ///   encoded  [rows, steps, ...]
  ///   begins   [rows, steps] float32, 1 where an episode begins: what was remembered is 0 there
  ///
  /// Policy and values are those of [rows * steps], row by row.
  ActorCritic::Judged unroll(const Tensor& encoded, const Tensor& begins, const Tensor& memory) const;

  Tensor first_memory(std::int64_t rows) const;
  const Encoder& encode() const { return encoder_; }
  Tensor within_bounds(const Tensor& actions) const { return head_.within_bounds(actions); }
  NamedWeights weights() const;

 private:
  Tensor gates(const Tensor& encoded) const;                              // [rows, 4 width] what is seen adds to them
  Tensor remember(const Tensor& gates, const Tensor& memory) const;       // [rows, 2 width]
  ActorCritic::Judged judge(const Tensor& hidden) const;                  // [rows, width]

  RecurrentConfig config_;
  Encoder encoder_;
  ActionHead head_;
  NamedWeights weights_;  // embed, input, hidden (LSTM), policy, value; weight and bias of each but hidden's
};

}  // namespace rlhf::models
