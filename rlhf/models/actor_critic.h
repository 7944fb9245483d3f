#pragma once
#include <filesystem>

#include "rlhf/environments/environment.h"
#include "rlhf/models/action_head.h"
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

  /// What an environment is sent; see ActionHead.
  Tensor within_bounds(const Tensor& actions) const { return head_.within_bounds(actions); }

  /// What save() wrote, with the network it had. Throws rlhf::Error (check) for an environment other than its own.
  static ActorCritic open(const environments::Spec& spec, const std::filesystem::path& folder);

  /// agent.safetensors and agent.json (spec, config).
  void save(const std::filesystem::path& folder) const;
  void restore(const std::filesystem::path& folder);

 private:
  environments::Spec spec_;
  ActorCriticConfig config_;
  Encoder encoder_;
  ActionHead head_;
  std::unique_ptr<Network> policy_, value_;  // value_ is null where both are one network
};

}  // namespace rlhf::models
