#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rlhf/data/segment.h"
#include "rlhf/environments/rollout.h"

namespace rlhf::environments {

struct ClipOptions {
  int width = 400, height = 267;  // pixels
  int every = 1;                  // steps from one frame to the next; the clip keeps real time by showing fewer frames
  double speed = 1.0;             // 0.5 = slow motion
};

/// What a player needs. The frames of one clip may repeat: a pole that stands still is one file.
struct Manifest {
  double fps = 0.0;
  int width = 0, height = 0;        // pixels
  std::vector<std::string> frames;  // SHA-256 of each frame's PNG, in the order shown
};

/// A clip in a media folder and the play that it shows.
struct ClipRef {
  std::string id;  // SHA-256 of the manifest's JSON text
  Manifest manifest;
  data::Segment segment;
};

/// Steps begin .. begin + length - 1 of a trajectory with states. Where the episode ends before, the segment holds
/// fewer actions. Throws rlhf::Error (usage) when the trajectory has no states, or nothing happens from `begin` on.
data::Segment cut_segment(const data::Trajectory& trajectory, std::int64_t begin, std::int64_t length);

/// The frames of a segment: its start and every `every`-th step after it, the last one held where the episode ended
/// early. Segments of equal length give equally many frames of equal size, so that two play side by side in step.
///
/// The environment is left at the segment's end. Throws rlhf::Error (usage) for an environment without state or picture
/// and (check) for one whose spec is not the segment's.
std::vector<Image> render_segment(Environment& environment, const data::Segment& segment, const ClipOptions& options);

/// Frames a second at which such a clip plays at the speed of the world, times `speed`.
double clip_rate(const Spec& spec, const ClipOptions& options);

/// Renders and stores: <folder>/<hash>.png for each frame and <folder>/<id>.json, the manifest
/// {"fps", "frames": [hash...], "height", "width"}. What is there already is not written again; the manifest comes last
/// and all of it has reached the disk on return.
ClipRef store_clip(Environment& environment, const data::Segment& segment, const std::filesystem::path& media_folder,
                   const ClipOptions& options = {});

/// One clip of `length` steps from an episode for each seed. Where the episode is longer, the piece begins at a step
/// drawn from the seed; where it is shorter, the clip begins with it and holds its last frame.
std::vector<ClipRef> record_clips(Environment& environment, const Policy& policy, std::span<const std::uint64_t> seeds,
                                  std::int64_t length, const std::filesystem::path& media_folder,
                                  const ClipOptions& options = {}, std::int64_t policy_version = 0);

nlohmann::json to_json(const Manifest& manifest);

/// Reads <folder>/<id>.json. Throws rlhf::Error (bad_data) when it is missing or its hash is another.
Manifest read_manifest(const std::filesystem::path& media_folder, const std::string& id);

}  // namespace rlhf::environments
