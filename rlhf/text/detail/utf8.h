#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace rlhf::text::detail {

inline constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// One step through bytes that should be UTF-8.
struct Utf8Step {
  std::size_t length;  // bytes of the character, or of the part to replace by one U+FFFD
  enum { character, invalid, unfinished } kind;
};

/// Looks at the front of `bytes` (not empty). An invalid part is as long as the Unicode standard recommends
/// (section 3.9, the maximal subpart of an ill-formed sequence), which is what lossy decoders agree on; unfinished =
/// more bytes could complete it.
Utf8Step utf8_step(std::string_view bytes);

bool is_utf8(std::string_view bytes);

}  // namespace rlhf::text::detail
