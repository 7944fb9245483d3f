#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::environments::detail {

/// The first file of this name on PATH that may be run.
std::optional<std::filesystem::path> program_on_path(std::string_view name);

/// Takes bytes for the program's standard input; false once it reads no more.
using Feed = std::function<bool(std::string_view bytes)>;

/// Runs a program to its end. What `feed` hands over is its standard input; without it there is none. Throws
/// rlhf::Error (failure) with the end of its standard error unless it ends with status 0.
void run_encoder(const std::vector<std::string>& command, const std::function<void(const Feed&)>& feed = nullptr);

}  // namespace rlhf::environments::detail
