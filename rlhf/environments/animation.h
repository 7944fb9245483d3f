#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// How long each of so many frames is shown, in milliseconds, 1 to 65535: exact times are rounded, so that errors do
/// not add up.
std::vector<std::uint32_t> shown_milliseconds(std::size_t frames, double frames_per_second);

/// Throws rlhf::Error (usage) naming `where` without frames, for frames of different sizes and for a rate that is not
/// positive.
void require_playable(std::string_view where, std::span<const Image> frames, double frames_per_second);

}  // namespace rlhf::environments
