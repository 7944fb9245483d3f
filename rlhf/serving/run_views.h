#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// The runs in a folder (each a folder with run.json) over HTTP: the list, metrics and samples as they grow, settings.
void add_run_routes(Router& router, const std::filesystem::path& runs);

/// How the newest run with a reward model did on held-out pairs, as labels came: [{"labels", "accuracy", "low",
/// "high"}].
nlohmann::json reward_model_points(const std::filesystem::path& runs);

}  // namespace rlhf::serving
