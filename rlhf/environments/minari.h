#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rlhf/data/trajectory.h"
#include "rlhf/environments/environment.h"

namespace rlhf::environments {

/// Recorded episodes as Minari 0.5 keeps them (the Farama Foundation's data sets of reinforcement learning): a folder
/// with metadata.json and main_data.hdf5, a group `episode_<n>` for each episode with `observations` [steps + 1, ...],
/// `actions`, `rewards`, `terminations` and `truncations` [steps]. The folder of a local data set is
/// ~/.minari/datasets/<id>/data.
struct MinariDataset {
  std::string id;  // "cart_pole/scripted-v0"
  Space observation, action;
  std::vector<data::Trajectory> episodes;
};

/// Writes a data set that `minari.load_dataset` reads; pictures are stored as they are, not as JPEG. Throws rlhf::Error
/// (usage) when the folder holds a data set already, or an episode does not fit the spaces.
void write_minari(const std::filesystem::path& folder, const MinariDataset& dataset, const std::string& algorithm);

/// Reads a data set of format hdf5 whose spaces are Box or Discrete. Throws rlhf::Error (bad_data) naming file and
/// episode: no data set, another format (arrow), spaces of other kinds, pictures kept as JPEG, numbers that do not fit.
/// Trajectories have neither states nor the hash of a spec.
MinariDataset read_minari(const std::filesystem::path& folder);

/// Spaces in Minari's JSON, and back. Infinite bounds are written as Python does: Infinity.
std::string space_to_minari(const Space& space);
Space space_from_minari(const std::string& text, const std::string& where);

}  // namespace rlhf::environments
