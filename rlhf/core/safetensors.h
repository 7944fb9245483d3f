#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rlhf/core/mapped_file.h"
#include "rlhf/core/safetensors_layout.h"
#include "rlhf/core/tensor.h"

namespace rlhf {

/// A safetensors file, memory-mapped: opening it reads the header only, a tensor's pages come in when they are touched.
class SafetensorsFile {
 public:
  /// Throws rlhf::Error (bad_data) unless the whole header is sound (see safetensors_layout.h).
  static SafetensorsFile open(const std::filesystem::path& path);
  static SafetensorsFile from_bytes(std::string bytes, std::string name = "bytes");

  std::vector<std::string> names() const;  // sorted
  bool has(const std::string& name) const { return layout_.tensors.contains(name); }
  const SafetensorsEntry& entry(const std::string& name) const;  // dtype, shape and place; throws like `tensor`

  /// A view on the map in the stored dtype, which keeps the map alive. Writing to it changes memory, never the file.
  /// Throws rlhf::Error (bad_data) when there is no such tensor, naming the one that looks most like it.
  Tensor tensor(const std::string& name) const;

  const std::map<std::string, std::string>& metadata() const { return layout_.metadata; }
  const std::string& name() const { return file_.name(); }

 private:
  explicit SafetensorsFile(MappedFile file);

  MappedFile file_;
  SafetensorsLayout layout_;
};

/// Writes a new file and renames it into place, so that a file that is mapped somewhere is never changed under its
/// reader. Tensors of any stride and device; `__metadata__` is `metadata` plus format = "pt", which Hugging Face's
/// loaders ask for.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace rlhf
