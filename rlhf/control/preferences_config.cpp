#include "rlhf/control/preferences_config.h"

#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::control {

void PreferenceConfig::fields(Fields& f) {
  f.field("labels", labels, "answers wanted in all");
  f.field("initial_share", initial_share, "of them before the policy learns; 1 = all of them");
  f.choice("rate", rate,
           {{"hyperbolic", LabelRate::hyperbolic}, {"constant", LabelRate::constant}, {"quadratic", LabelRate::quadratic}},
           "at which labels are asked for after the first: C / (C + T), the same all the time, 1 / (1 + (T / C)^2)");
  f.field("schedule", schedule, "the rate's C, steps");
  f.field("explore", explore, "rollouts at the beginning whose reward is novelty, before anybody is asked");
  f.field("clip_steps", clip_steps, "steps that a clip shows");
  f.field("clips", clips, "kept to draw pairs from, the newest");
  f.field("rollout_clips", rollout_clips, "of them taken from each rollout");
  f.choice("selection", selection,
           {{"random", Selection::random}, {"variance", Selection::variance}, {"entropy", Selection::entropy}, {"recency", Selection::recency}},
           "which of ten times as many pairs are asked about");
  f.field("actions", actions, "does the reward model see what was done?");
  f.field("outcomes", outcomes, "does it see what the action led to, instead of where it was taken?");
  f.field("autolabels", autolabels, "take demonstrations to be better than the first clips");
  f.field("first_updates", first_updates, "minibatches of the first fit");
  f.field("rollout_updates", rollout_updates, "minibatches after each rollout");
  f.group("reward", reward, "the reward models");
  f.group("teacher", teacher, "who answers instead of people");
  f.field("store", store, "feedback store; empty = feedback.db in the run's folder");
  f.field("people", people, "wait for people instead of the simulated teacher");
  f.field("seed", seed, "of clips and pairs");
}

void PreferenceConfig::validate() const {
  const auto require = [](bool holds, const char* field, const char* fix) {
    if (!holds) throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
  };
  require(labels >= 1, "labels", "Ask for 1 or more.");
  require(initial_share > 0 && initial_share <= 1, "initial_share", "Give a share above 0, at most 1.");
  require(explore >= 0, "explore", "Give 0 or more.");
  require(schedule > 0, "schedule", "Give a positive number of steps.");
  require(clip_steps >= 1, "clip_steps", "Give 1 or more.");
  require(clips >= 4, "clips", "Keep 4 or more.");
  require(rollout_clips >= 1, "rollout_clips", "Take 1 or more.");
  require(first_updates >= 1, "first_updates", "Give 1 or more.");
  require(rollout_updates >= 0, "rollout_updates", "Give 0 or more.");
}

std::int64_t labels_by(const PreferenceConfig& config, std::int64_t steps, std::int64_t total) {
  const double all = static_cast<double>(config.labels), first = config.initial_share * all;
  const auto cumulative = [&](std::int64_t t) {
    const double in_units = static_cast<double>(t) / config.schedule;
    switch (config.rate) {
      case LabelRate::hyperbolic: return std::log1p(in_units);
      case LabelRate::constant: return in_units;
      case LabelRate::quadratic: return std::atan(in_units);
    }
    return in_units;
  };
  const double share = cumulative(steps) / cumulative(total);
  return std::llround(first + (all - first) * std::min(share, 1.0));
}

}  // namespace rlhf::control
