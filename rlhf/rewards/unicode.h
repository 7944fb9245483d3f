#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::rewards {

/// The few properties of Unicode 14 text that word-list rewards need, with the meaning Python's `str` gives them.

/// The code points of UTF-8 text. A byte that is no UTF-8 becomes U+FFFD.
std::u32string code_points(std::string_view utf8);
std::string to_utf8(std::u32string_view text);

bool is_space(char32_t c);                 // str.isspace of one character
bool is_upper(std::u32string_view text);   // str.isupper: some cased character, and none of them lower or title case
std::u32string lower(std::u32string_view text);

/// str.split(): the words between runs of white space, as views on `text`.
std::vector<std::u32string_view> split(std::u32string_view text);

}  // namespace rlhf::rewards
