#include "rlhf/environments/clip.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"

namespace rlhf::environments {
namespace {

[[noreturn]] void throw_usage(std::string what, std::string fix) {
  throw Error({.category = Category::usage, .where = "clip", .what = std::move(what), .fix = std::move(fix)});
}

void check(const Environment& environment, const data::Segment& segment, const ClipOptions& options) {
  const auto& spec = environment.spec();
  if (!spec.can.state || !spec.can.render) {
    throw_usage("the environment " + spec.name + " cannot draw a segment from its start state",
                "Record it with an environment whose spec declares state and render.");
  }
  if (options.every < 1 || !(options.speed > 0)) throw_usage("'every' or 'speed' is not positive", "Give 1 or more.");
  if (segment.spec == hash_of(spec)) return;
  throw Error(
      {.category = Category::check,
       .where = "clip",
       .what = "the segment was recorded in another " + segment.environment + ": the hashes of the specs differ",
       .fix = "Make the environment with the settings and the release it was recorded with."});
}

/// Returns the hash, under which readers will find the bytes whole.
std::string store(const std::filesystem::path& folder, std::string_view bytes, std::string_view extension) {
  auto name = sha256(bytes);
  const auto file = folder / fmt::format("{}.{}", name, extension);
  if (!std::filesystem::exists(file)) write_file_atomic(file, bytes);
  return name;
}

}  // namespace

data::Segment cut_segment(const data::Trajectory& trajectory, std::int64_t begin, std::int64_t length) {
  const auto steps = static_cast<std::int64_t>(trajectory.actions.size());
  if (static_cast<std::int64_t>(trajectory.states.size()) != steps + 1) {
    throw_usage("the trajectory has no states to start from", "Roll out with keep_states.");
  }
  if (begin < 0 || begin >= steps || length < 1) {
    throw_usage(fmt::format("steps {} to {} of a trajectory of {}", begin, begin + length, steps), "Begin within it.");
  }
  const auto end = std::min(begin + length, steps);
  return {.environment = trajectory.environment,
          .spec = trajectory.spec,
          .seed = trajectory.seed,
          .begin = begin,
          .length = length,
          .policy_version = trajectory.policy_version,
          .start_state = trajectory.states[begin],
          .actions = {trajectory.actions.begin() + begin, trajectory.actions.begin() + end},
          .rewards = {trajectory.rewards.begin() + begin, trajectory.rewards.begin() + end}};
}

std::vector<Image> render_segment(Environment& environment, const data::Segment& segment, const ClipOptions& options) {
  check(environment, segment, options);
  environment.set_state(segment.start_state);
  std::vector<Image> frames = {environment.render(options.width, options.height)};
  const auto steps = static_cast<std::int64_t>(segment.actions.size());
  for (std::int64_t t = 1; t <= segment.length; ++t) {
    if (t <= steps) environment.step(segment.actions[t - 1]);
    if (t % options.every == 0) frames.push_back(environment.render(options.width, options.height));
  }
  return frames;
}

double clip_rate(const Spec& spec, const ClipOptions& options) {
  const double step_seconds = spec.step_seconds > 0 ? spec.step_seconds : 0.1;  // a board game at ten moves a second
  return options.speed / (step_seconds * static_cast<double>(options.every));
}

ClipRef store_clip(Environment& environment, const data::Segment& segment, const std::filesystem::path& media_folder,
                   const ClipOptions& options) {
  ClipRef clip{.manifest = {.width = options.width, .height = options.height}, .segment = segment};
  const auto frames = render_segment(environment, segment, options);
  make_folder(media_folder);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool held = i > 0 && frames[i] == frames[i - 1];  // nothing moved: no need to encode it again
    clip.manifest.frames.push_back(held ? clip.manifest.frames.back()
                                        : store(media_folder, encode_png(frames[i]), "png"));
  }
  clip.manifest.fps = clip_rate(environment.spec(), options);
  clip.id = store(media_folder, to_json(clip.manifest).dump(), "json");
  return clip;
}

std::vector<ClipRef> record_clips(Environment& environment, const Policy& policy, std::span<const std::uint64_t> seeds,
                                  std::int64_t length, const std::filesystem::path& media_folder,
                                  const ClipOptions& options, std::int64_t policy_version) {
  std::vector<ClipRef> clips;
  for (const auto seed : seeds) {
    const auto trajectory = roll_out(environment, policy, seed, {.policy_version = policy_version});
    const auto spare = static_cast<std::int64_t>(trajectory.actions.size()) - length;
    const auto begin = spare > 0 ? Random(derive(seed, {hash("clip.begin")})).below(spare + 1) : 0;
    clips.push_back(store_clip(environment, cut_segment(trajectory, begin, length), media_folder, options));
  }
  return clips;
}

nlohmann::json to_json(const Manifest& manifest) {
  return {{"fps", manifest.fps}, {"frames", manifest.frames}, {"height", manifest.height}, {"width", manifest.width}};
}

Manifest read_manifest(const std::filesystem::path& media_folder, const std::string& id) {
  const auto file = media_folder / (id + ".json");
  const auto text = read_file(file);
  try {
    if (sha256(text) != id) throw std::invalid_argument("its content does not have the hash that is its name");
    const auto json = nlohmann::json::parse(text);
    return {.fps = json.at("fps"),
            .width = json.at("width"),
            .height = json.at("height"),
            .frames = json.at("frames").get<std::vector<std::string>>()};
  } catch (const std::exception& error) {
    throw Error({.category = Category::bad_data,
                 .where = file.string(),
                 .what = std::string("this is no clip: ") + error.what(),
                 .fix = "Store the clip again."});
  }
}

}  // namespace rlhf::environments
