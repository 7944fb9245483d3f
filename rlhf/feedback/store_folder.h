#pragma once
#include <filesystem>
#include <string>

namespace rlhf::feedback {

/// The folder of that name beside a store's file; in the working directory where the store is a database server. Who
/// writes pictures for its questions and who shows them look for "media" here.
std::filesystem::path folder_beside(const std::string& store, const char* name);

}  // namespace rlhf::feedback
