#pragma once
#include <filesystem>

#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// GET /media/<sha256>.png and .json: pictures, frames and manifests of clips, named after their content. Only such names are ever looked up, so no
/// address leads out of the folder; they never change, so browsers keep them for good.
void add_media(Router& router, std::filesystem::path folder, RouteOptions options = {});

/// Stores bytes under their name and returns it ("<sha256>.png"). Bytes that are there already are not written again.
std::string store_media(const std::filesystem::path& folder, std::string_view png);

/// Is it 64 lower-case hexadecimal digits and ".png" or ".json"?
bool is_media_name(std::string_view name);

}  // namespace rlhf::serving
