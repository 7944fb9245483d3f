#pragma once
#include <functional>

#include "rlhf/core/run.h"

namespace rlhf::control {

/// A quiet run that goes on from the folder's checkpoint, if there is one, and is asked to stop where `stop` says so.
inline Run run_until(const std::filesystem::path& folder, std::function<bool()> stop) {
  return Run({.folder = folder, .resume = true, .stop_requested = std::move(stop), .quiet = true}, "",
             nlohmann::json::object());
}

}  // namespace rlhf::control
