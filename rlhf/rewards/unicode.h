#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::rewards {

// The few properties of UTF-8 text (Unicode 14) that word-list rewards need, with the meaning Python's `str` gives them.
// A byte that is no UTF-8 counts as one character without properties.

/// Bytes of the character that starts at `at`; 1 for a byte that is no UTF-8. `at` < text.size().
std::size_t character_size(std::string_view text, std::size_t at);

/// Number of characters.
std::size_t length(std::string_view text);

/// str.isupper: some cased character, and none of them lower or title case.
bool is_upper(std::string_view text);

/// str.lower, without the rule for a Greek sigma at the end of a word.
std::string lower(std::string_view text);

/// str.strip and str.split: white space at both ends removed; the words between runs of it. Views on `text`.
std::string_view strip(std::string_view text);
std::vector<std::string_view> split(std::string_view text);

}  // namespace rlhf::rewards
