#include <fmt/format.h>

#include "rlhf/control/ppo.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

void require(bool holds, const char* field, std::string what, std::string fix) {
  if (!holds)
    throw Error({.category = Category::usage, .where = field, .what = std::move(what), .fix = std::move(fix)});
}

void require_positive(const char* field, double value) {
  require(value > 0, field, fmt::format("{} is not more than 0", value), "Give a positive number.");
}

}  // namespace

void PpoConfig::fields(Fields& f) {
  f.field("total_steps", total_steps, "steps of all environments together");
  f.field("envs", envs, "environments stepped together");
  f.field("steps", steps, "steps of each environment in a rollout");
  f.field("epochs", epochs, "passes over a rollout");
  f.field("minibatch", minibatch, "steps in an optimiser step");
  f.field("learning_rate", learning_rate, "peak learning rate");
  f.group("schedule", schedule, "how the learning rate moves, by rollout");
  f.field("clip", clip, "ratio kept within 1 ± clip");
  f.field("clip_follows", clip_follows, "clip shrinks as the learning rate does");
  f.field("value_clip", value_clip, "value kept within ± this of the old one; none: not clipped");
  f.field("entropy_coefficient", entropy_coefficient, "weight of the policy's entropy");
  f.field("value_coefficient", value_coefficient, "weight of half the value's squared error");
  f.field("whiten_advantages", whiten_advantages, "scale advantages to mean 0 and variance 1 over a minibatch");
  f.field("target_kl", target_kl,
          "stop a rollout's updates once the policy moved 1.5 times this far, nats; none: never");
  f.group("gae", gae, "advantage estimation");
  f.group("adam", adam, "the optimiser");
  f.field("report_every", report_every, "rollouts between two rows of metrics");
  f.field("checkpoint_every", checkpoint_every, "rollouts between checkpoints; 0 = at the end only");
  f.field("seed", seed, "of everything that chance decides");
}

void PpoConfig::validate() const {
  require_positive("envs", envs);
  require_positive("steps", steps);
  require_positive("epochs", epochs);
  require_positive("minibatch", minibatch);
  require_positive("learning_rate", learning_rate);
  require_positive("clip", clip);
  require_positive("report_every", report_every);
  if (value_clip) require_positive("value_clip", *value_clip);
  if (target_kl) require_positive("target_kl", *target_kl);
  require(rollouts() > 0, "total_steps",
          fmt::format("{} is less than one rollout of {} x {}", total_steps, envs, steps),
          "Train longer, or take fewer envs or steps.");
  require(minibatch <= envs * steps, "minibatch",
          fmt::format("{} is more than a rollout's {} x {}", minibatch, envs, steps), "Take a smaller minibatch.");
}

}  // namespace rlhf::control
