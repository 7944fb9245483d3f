#include "rlhf/text/detail/utf8.h"

namespace rlhf::text::detail {

namespace {

struct Lead {
  std::size_t length;                     // of the whole sequence; 0 = cannot begin one
  unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte (Unicode standard, table 3-7)
};

Lead lead(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};  // the rest would be surrogates
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

}  // namespace

Utf8Step utf8_step(std::string_view bytes) {
  const Lead first = lead(static_cast<unsigned char>(bytes[0]));
  if (first.length == 0) return {1, Utf8Step::invalid};
  for (std::size_t i = 1; i < first.length; ++i) {
    if (i == bytes.size()) return {i, Utf8Step::unfinished};
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool fits = i == 1 ? byte >= first.low && byte <= first.high : (byte & 0xC0) == 0x80;
    if (!fits) return {i, Utf8Step::invalid};
  }
  return {first.length, Utf8Step::character};
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto step = utf8_step(bytes);
    if (step.kind != Utf8Step::character) return false;
    bytes.remove_prefix(step.length);
  }
  return true;
}

}  // namespace rlhf::text::detail
