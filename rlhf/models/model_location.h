#pragma once
#include <filesystem>
#include <string_view>

namespace rlhf::models {

enum class ModelFormat { hugging_face, gguf, adapter };

/// What a model's name or path stands for on this disk.
struct ModelLocation {
  ModelFormat format = ModelFormat::hugging_face;
  std::filesystem::path path;  // the folder, or the .gguf file
};

/// See load_model for the rules. A relative `name_or_path` is looked for in the working folder, then in `beside`, if
/// given. Throws rlhf::Error with what was found there, or with the list of places that were tried.
ModelLocation locate_model(std::string_view name_or_path, const std::filesystem::path& beside = {});

}  // namespace rlhf::models
