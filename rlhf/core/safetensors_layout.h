#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

/// Where one tensor of a safetensors file lies.
struct SafetensorsEntry {
  std::string dtype;                 // "F32", "BF16", ...
  std::vector<std::int64_t> shape;   // empty for a scalar
  std::uint64_t begin = 0, end = 0;  // bytes from the start of the file
};

/// The header of a safetensors file, checked against the file's size.
struct SafetensorsLayout {
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> metadata;
};

/// Bytes of one element of a safetensors dtype; 0 for a name the format doesn't know.
std::size_t safetensors_element_size(std::string_view dtype);

/// Reads the header and checks everything it says: its length, its JSON, dtypes, that shape x element size is the byte
/// range, and that the ranges lie inside the file and tile it without overlap or hole.
/// Throws rlhf::Error (bad_data) with `where` in front; no input makes it read outside `bytes`.
SafetensorsLayout read_safetensors_layout(std::span<const std::byte> bytes, const std::string& where);

}  // namespace rlhf
