#pragma once
#include <filesystem>
#include <string_view>

namespace rlhf {

/// Throws Error(resource) with the system's reason (errno): "the file cannot be `action`: ...".
[[noreturn]] void throw_file_error(const std::filesystem::path& file, std::string_view action);

}  // namespace rlhf
