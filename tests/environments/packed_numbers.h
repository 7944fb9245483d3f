#pragma once
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rlhf::environments {

/// The numbers that a reference file holds as base64, little-endian.
template <class Number>
std::vector<Number> unpacked(const nlohmann::json& packed) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned held = 0;
  int bits = 0;
  for (const char letter : packed.get_ref<const std::string&>()) {
    if (letter == '=') break;
    held = held << 6 | static_cast<unsigned>(letters.find(letter));
    if ((bits += 6) >= 8) bytes.push_back(static_cast<char>(held >> (bits -= 8) & 255));
  }
  std::vector<Number> values(bytes.size() / sizeof(Number));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(Number));
  return values;
}

}  // namespace rlhf::environments
