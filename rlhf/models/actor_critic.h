#pragma once
#include <filesystem>

#include "rlhf/environments/environment.h"
#include "rlhf/models/distribution.h"
#include "rlhf/models/network.h"
#include "rlhf/models/observation.h"

namespace rlhf::models {

struct ActorCriticConfig {
  NetworkConfig network;
  double log_deviation = 0.0;  // at the start, of the actions of a Box; learnt, the same in every state
  std::uint64_t seed = 0;

  void fields(Fields& f);
};

/// A policy and its value function. Fully connected ones are two networks; convolutions are shared by both, with the
/// policy's outputs beside the value.
class ActorCritic {
 public:
  /// Throws rlhf::Error (usage) where the network does not fit the spaces.
  ActorCritic(const environments::Spec& spec, const ActorCriticConfig& config);

  struct Judged {
    Distribution policy;
    Tensor values;  // [rows]
  };
  /// encoded [rows, ...]
  Judged judge(const Tensor& encoded) const;
  Distribution policy(const Tensor& encoded) const;
  Tensor values(const Tensor& encoded) const;

  const Encoder& encode() const { return encoder_; }
  NamedWeights weights() const;

  /// What an environment is sent: actions of a Box are cut to its bounds (the stored ones, which were drawn, are not).
  Tensor within_bounds(const Tensor& actions) const;

  /// agent.safetensors and agent.json (spec, config).
  void save(const std::filesystem::path& folder) const;
  void restore(const std::filesystem::path& folder);

 private:
  Distribution distribution(const Tensor& outputs) const;

  environments::Spec spec_;
  ActorCriticConfig config_;
  Encoder encoder_;
  std::int64_t outputs_ = 0;                 // of the policy
  std::unique_ptr<Network> policy_, value_;  // value_ is null where both are one network
  Tensor log_deviation_;                     // [numbers], undefined for choices
  Tensor low_, high_;                        // [numbers], of a Box
};

}  // namespace rlhf::models
