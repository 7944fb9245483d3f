#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "rlhf/core/mapped_file.h"
#include "rlhf/models/ggml_type.h"

namespace rlhf::models {

/// One value of a GGUF file's metadata. Integers of every width are widened; an array holds values of one type.
struct GgufValue {
  using Array = std::vector<GgufValue>;
  std::variant<std::uint64_t, std::int64_t, double, bool, std::string, Array> value;
};

/// One tensor: its place in the file and how to read it.
struct GgufTensor {
  GgmlType type = GgmlType::f32;
  std::vector<std::int64_t> shape;  // outermost first, as everywhere else (the file has them reversed)
  std::span<const std::byte> bytes;

  std::int64_t elements() const;
};

/// A GGUF file, version 2 or 3, memory-mapped. No LibTorch here.
class GgufFile {
 public:
  /// Reads the header and checks every count, length, offset and size in it against the file.
  /// Throws rlhf::Error (bad_data); no input makes it read outside the file or reserve much more than the file's size.
  static GgufFile open(const std::filesystem::path& path);
  static GgufFile from_bytes(std::string bytes, std::string name = "bytes");

  const std::string& name() const { return file_.name(); }
  const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  const MappedFile& file() const { return file_; }  // a copy of it keeps the tensors' bytes alive

  // Metadata by type; nothing where the key is absent. Throws rlhf::Error (bad_data) where it holds something else.
  std::optional<std::int64_t> integer(const std::string& key) const;
  std::optional<double> number(const std::string& key) const;
  std::optional<bool> flag(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  std::optional<std::vector<std::string>> texts(const std::string& key) const;
  std::optional<std::vector<double>> numbers(const std::string& key) const;

 private:
  explicit GgufFile(MappedFile file);

  MappedFile file_;
  std::map<std::string, GgufValue> metadata_;
  std::map<std::string, GgufTensor> tensors_;
};

}  // namespace rlhf::models
