#include "rlhf/rewards/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace rlhf::rewards {
namespace {

struct Character {
  utf8proc_int32_t code = -1;  // -1: no UTF-8
  std::size_t size = 1;        // bytes
};

Character character_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {byte, 1};
  Character character;
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     static_cast<utf8proc_ssize_t>(text.size() - at), &character.code);
  if (size <= 0) return {};
  character.size = static_cast<std::size_t>(size);
  return character;
}

using Range = std::pair<utf8proc_int32_t, utf8proc_int32_t>;

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, utf8proc_int32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& range) { return range.first <= code && code <= range.second; });
}

// Unicode's Other_Lowercase and Other_Uppercase: cased, though their category does not say so.
constexpr std::array<Range, 24> other_lower{{{0xaa, 0xaa},     {0xba, 0xba},     {0x2b0, 0x2b8},     {0x2c0, 0x2c1},
                                             {0x2e0, 0x2e4},   {0x345, 0x345},   {0x37a, 0x37a},     {0x1d2c, 0x1d6a},
                                             {0x1d78, 0x1d78}, {0x1d9b, 0x1dbf}, {0x2071, 0x2071},   {0x207f, 0x207f},
                                             {0x2090, 0x209c}, {0x2170, 0x217f}, {0x24d0, 0x24e9},   {0x2c7c, 0x2c7d},
                                             {0xa69c, 0xa69d}, {0xa770, 0xa770}, {0xa7f8, 0xa7f9},   {0xab5c, 0xab5f},
                                             {0x10780, 0x10780}, {0x10783, 0x10785}, {0x10787, 0x107b0}, {0x107b2, 0x107ba}}};
constexpr std::array<Range, 5> other_upper{
    {{0x2160, 0x216f}, {0x24b6, 0x24cf}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}}};
constexpr std::array<Range, 10> spaces{{{0x09, 0x0d},     {0x1c, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
                                        {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}}};

bool is_space(utf8proc_int32_t code) {
  if (code >= 0 && code < 0x80) return code == ' ' || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  return in(spaces, code);
}

enum class Case { none, upper, other };

Case case_of(utf8proc_int32_t code) {
  if (code < 0) return Case::none;
  if (code < 0x80) {
    return code >= 'A' && code <= 'Z' ? Case::upper : code >= 'a' && code <= 'z' ? Case::other : Case::none;
  }
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU: return Case::upper;
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT: return Case::other;
    default: return in(other_upper, code) ? Case::upper : in(other_lower, code) ? Case::other : Case::none;
  }
}

void append(std::string& text, utf8proc_int32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(code, bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

}  // namespace

std::size_t character_size(std::string_view text, std::size_t at) { return character_at(text, at).size; }

std::size_t length(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += character_at(text, at).size) ++count;
  return count;
}

bool is_upper(std::string_view text) {
  bool upper = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    const auto kind = case_of(character.code);
    if (kind == Case::other) return false;
    upper = upper || kind == Case::upper;
    at += character.size;
  }
  return upper;
}

std::string lower(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    if (character.code >= 'A' && character.code <= 'Z') {
      result += static_cast<char>(character.code + ('a' - 'A'));
    } else if (character.code < 0x80) {
      result.append(text.substr(at, character.size));
    } else if (character.code == 0x130) {  // the one letter whose lower case is two characters
      result += "i\u0307";
    } else {
      append(result, utf8proc_tolower(character.code));
    }
    at += character.size;
  }
  return result;
}

std::string_view strip(std::string_view text) {
  std::size_t begin = text.size(), end = text.size();
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    if (!is_space(character.code)) {
      begin = std::min(begin, at);
      end = at + character.size;
    }
    at += character.size;
  }
  return begin == text.size() ? std::string_view{} : text.substr(begin, end - begin);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  const auto end_word = [&](std::size_t end) {
    if (end > begin) words.push_back(text.substr(begin, end - begin));
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    if (is_space(character.code)) {
      end_word(at);
      begin = at + character.size;
    }
    at += character.size;
  }
  end_word(text.size());
  return words;
}

}  // namespace rlhf::rewards
