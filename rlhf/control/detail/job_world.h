#pragma once
#include <filesystem>

#include "rlhf/control/environment_settings.h"
#include "rlhf/control/episodes.h"
#include "rlhf/core/run.h"
#include "rlhf/data/trajectory.h"

namespace rlhf::control {

/// What the jobs of agents have in common: a world, and an examination at the end.
struct JobWorld {
  environments::EnvironmentTable table;
  EnvironmentSettings settings = {};
  std::int64_t evaluate = 50;  // episodes of the examination; 0 = none

  /// `choice`, "likeliest" or "best": which action is taken in the examination. Behind all other fields.
  void examination_field(Fields& f, const std::string& choice);

  /// The environments to learn in; what stops nothing is a warning of the run.
  std::unique_ptr<environments::VectorEnvironment> make(std::int64_t count, Run& run) const;
  /// The same for an agent with a replay buffer. Throws rlhf::Error (usage) for normalisation: the buffer keeps what was
  /// seen for longer than its statistics hold.
  std::unique_ptr<environments::VectorEnvironment> make_for_replay(std::int64_t count, Run& run) const;

  /// An agent's last examination, unless none is wanted or the run is asked to stop: what play_for_results does, and a
  /// film where one can be drawn. Observations are scaled by what `trained`, the environments it learnt in, had seen.
  void examine(const environments::VectorEnvironment& trained, const Act& act, std::uint64_t seed, Run& run) const;

  // Its parts, for agents that remember.
  bool examines(Run& run) const { return evaluate > 0 && !run.stop_requested(); }
  std::unique_ptr<environments::VectorEnvironment> like(const environments::VectorEnvironment& trained, Run& run) const;
  /// results.json and a line for people. `ended` is told of every step in which an episode ended.
  void play_for_results(environments::VectorEnvironment& environments, const Act& act, std::uint64_t seed, Run& run,
                        const std::function<void(const environments::VectorStep& step)>& ended = {}) const;
};

/// The episodes in the file that `setting` names. Throws rlhf::Error (usage) where it names none; `flags` are those of
/// `rlhf env record` that make some.
std::vector<data::Trajectory> episodes_in(const std::filesystem::path& file, const char* setting,
                                          const environments::Spec& spec, const std::string& flags);

/// A file of episodes, and how many of them are looked at.
struct DemonstrationSettings {
  std::filesystem::path file;
  std::int64_t episodes = 0;  // the first so many; 0 = all

  void fields(Fields& f);
  std::vector<data::Trajectory> episodes_of(const environments::Spec& spec) const;
};

}  // namespace rlhf::control
