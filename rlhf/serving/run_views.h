#pragma once
#include <filesystem>

#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// The runs in a folder (each a folder with run.json) over HTTP: the list, metrics and samples as they grow, settings.
void add_run_routes(Router& router, const std::filesystem::path& runs);

}  // namespace rlhf::serving
