#pragma once
#include <filesystem>

namespace rlhf::evaluation {

enum class Story { improved, overoptimized };

/// Writes a run folder as a training run would leave it, with made-up but plausible numbers. Deterministic.
void write_synthetic_run(const std::filesystem::path& folder, Story story);

}  // namespace rlhf::evaluation
