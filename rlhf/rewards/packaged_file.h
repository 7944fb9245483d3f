#pragma once
#include <filesystem>
#include <string_view>

namespace rlhf::rewards {

/// Where a data file of a named package lies: `$RLHF_MODELS/<package>/<file>` when that variable is set, otherwise
/// `${XDG_CACHE_HOME:-~/.cache}/rlhf.cpp/models/<package>/<file>`. Throws rlhf::Error when the file is not there.
std::filesystem::path packaged_file(std::string_view package, std::string_view file);

}  // namespace rlhf::rewards
