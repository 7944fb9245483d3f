#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlhf/environments/environment.h"

namespace rlhf::environments {

/// An environment seen or treated otherwise, as settings name it, "name number number ...":
///
///   time_limit STEPS        the episode is truncated then
///   fixed_horizon STEPS     every episode has this length: what ends before begins anew at once, and nothing tells
///   sticky_actions SHARE    with this chance (0..1) the action before is taken once more instead (Machado et al. 2018,
///                           arXiv:1709.06009); the first of an episode is what was asked for
///   hide_reward             rewards are 0; what was earned is `true_reward` in Step::info, and true_rewards of many
///   frame_stack COUNT       the newest observations, the oldest first, side by side along the first dimension; a start
///                           is repeated
///   score_mask LEFT TOP WIDTH HEIGHT   blacks out these pixels of an observed picture
///   picture WIDTH HEIGHT    the picture instead of the numbers, uint8 [3, height, width]
///   grey_picture WIDTH HEIGHT          its brightness, uint8 [1, height, width]
///
/// The first of several is next to the environment. They keep their state with the environment's, so that clips can be
/// played again; what they change is in the spec, under "wrappers" of its settings.
///
/// Throws rlhf::Error (usage) for an unknown name, wrong numbers, and what does not suit the environment.
std::unique_ptr<Environment> wrapped(std::unique_ptr<Environment> environment, std::span<const std::string> wrappers);

}  // namespace rlhf::environments
