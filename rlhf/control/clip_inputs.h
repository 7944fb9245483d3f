#pragma once
#include "rlhf/control/preferences_config.h"
#include "rlhf/control/rollout.h"
#include "rlhf/data/segment.h"
#include "rlhf/models/observation.h"

namespace rlhf::control {

/// What a reward model of an environment reads of a step: the observation that the action was taken in, or the one that
/// it led to.
///
///   fully connected   [rows, width] float32: the observation, encoded, and the action if it should see it
///   convolutions      [rows, channels, height, width], of pictures the bytes; never the action
class RewardInputs {
 public:
  RewardInputs(const environments::Spec& spec, bool actions, bool outcomes = false, bool pictures = false);
  /// As the settings have it. Throws rlhf::Error (usage) for convolutions that should see the action.
  RewardInputs(const environments::Spec& spec, const PreferenceConfig& config);

  const std::vector<std::int64_t>& shape() const { return shape_; }  // [...] of one step

  /// observations and what the actions led to [rows, ...], actions [rows] or [rows, numbers] -> [rows, shape...].
  /// `next` may be undefined where outcomes are not read.
  Tensor operator()(const Tensor& observations, const Tensor& actions, const Tensor& next) const;

  /// The same of successive steps of one episode, to be kept: stacks of pictures (Box::stack) are a view of pictures
  /// held once each, which takes a quarter of the memory where four are seen together.
  Tensor of_clip(const Tensor& observations, const Tensor& actions, const Tensor& next) const;

  /// Plays a segment again and returns of_clip() of its steps. The environment is left at its end. Throws rlhf::Error
  /// (check) when the segment is of another spec.
  Tensor of(environments::Environment& environment, const data::Segment& segment) const;

 private:
  environments::Spec spec_;
  models::Encoder encoder_;
  bool actions_, outcomes_, pictures_;
  std::int64_t choices_ = 0;  // of a Discrete action space
  std::vector<std::int64_t> shape_;
};

/// Steps begin .. begin + length - 1 of environment `env` in a rollout with states, up to the end of its episode. Both
/// sides of an end are clips of their own: throws rlhf::Error (usage) for a piece that holds no step or runs over one.
data::Segment cut(const environments::Spec& spec, const Rollout& rollout, std::int64_t env, std::int64_t begin,
                  std::int64_t length, std::int64_t policy_version);

/// The pieces of `length` steps that lie in one episode each: (environment, first step).
std::vector<std::pair<std::int64_t, std::int64_t>> places_for(const Rollout& rollout, std::int64_t length);

}  // namespace rlhf::control
