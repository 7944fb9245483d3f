#pragma once
#include <span>
#include <string>

#include "rlhf/environments/image.h"

namespace rlhf::environments {

/// The bytes of an animated PNG that repeats for ever: every browser and picture viewer plays it, others show its first
/// frame. Nothing is lost, and of each frame only the rectangle that changed is kept. Equal frames give equal bytes.
///
///   frames             all of one size
///   frames_per_second  in real time; clips know theirs (Manifest::fps)
///
/// Throws rlhf::Error (usage) without frames, for frames of different sizes and for a rate that is not positive.
std::string encode_animation(std::span<const Image> frames, double frames_per_second);

}  // namespace rlhf::environments
