#pragma once
#include <filesystem>
#include <string>

#include "rlhf/core/files.h"

namespace rlhf {

// How a run gets its folder. Private to core.

/// Is there a run in it?
bool holds_run(const std::filesystem::path& folder);

/// Creates the folder if need be, locks it, and applies `resume` and `overwrite` (see RunOptions).
Lock claim_run_folder(const std::filesystem::path& folder, bool resume, bool overwrite);

/// The TensorBoard file that is there, or a new name.
std::filesystem::path event_file_in(const std::filesystem::path& folder);

}  // namespace rlhf
