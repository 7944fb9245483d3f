#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/core/tensor.h"

namespace rlhf {

/// What a run needs besides the model to go on to the same bits: optimiser moments, cursors, controllers, buffers.
/// Tensors keep their type, shape and bits; values may hold anything JSON can, and infinities and NaN.
struct State {
  std::map<std::string, Tensor> tensors;
  nlohmann::json values = nlohmann::json::object();
};

/// A checkpoint as it was read back, after its hashes were verified.
struct Restored {
  std::int64_t step = 0;
  std::filesystem::path model_folder;  // an HF model directory (or a PEFT folder)
  State state;
};

/// Writes the model's files into an empty folder. The name `state` and `manifest.json` in it are taken.
using WriteModel = std::function<void(const std::filesystem::path& model_folder)>;

/// Beside the files' hashes: what else was true when the checkpoint was made.
struct CheckpointRecord {
  std::int64_t step = 0;
  std::map<std::string, std::uint64_t> offsets;  // bytes of each stream of the run folder (metrics.jsonl, ...)
  nlohmann::json machine;                        // binary, CPU features, threads: what bit-exact resuming depends on
};

/// Writes `checkpoints/step-000120/` so that it exists whole or not at all: a temporary folder, fsync of every file and
/// folder, a manifest of SHA-256 hashes, rename, then the pointer `checkpoints/latest`. Afterwards only the newest
/// `keep` checkpoints are kept. What the offsets speak of has to be on disk.
///
/// Throws Error(resource), and leaves the older checkpoints alone, when the disk is full; the space the last checkpoint
/// took (or the state, if that is more) is checked before anything is written.
std::filesystem::path write_checkpoint(const std::filesystem::path& checkpoints, const CheckpointRecord& record,
                                       const WriteModel& write_model, const State& state, int keep);

/// Compares every file with the manifest. Returns what is wrong, or nothing.
std::optional<std::string> damage(const std::filesystem::path& checkpoint);

/// Reads one checkpoint; throws Error(bad_data) if it is damaged.
std::pair<Restored, CheckpointRecord> read_checkpoint(const std::filesystem::path& checkpoint);

/// The newest checkpoint that is whole. Damaged newer ones are reported through `warn`, set aside as `damaged-...`, and
/// removed once a new checkpoint has been written. Nothing if there is none; throws Error(bad_data) if all are damaged.
std::optional<std::pair<Restored, CheckpointRecord>> newest_checkpoint(
    const std::filesystem::path& checkpoints, const std::function<void(std::string_view)>& warn);

}  // namespace rlhf
