#include "rlhf/serving/url.h"

#include <algorithm>

namespace rlhf::serving {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Calls `use` with each piece between separators.
template <class Use>
void each_piece(std::string_view text, char separator, Use use) {
  for (;;) {
    const auto end = std::min(text.find(separator), text.size());
    use(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

bool unsafe_piece(std::string_view piece) {
  return piece == "." || piece == ".." || piece.find('\0') != piece.npos || piece.find('\\') != piece.npos;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(plus && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || std::string_view("-._~").find(c) != std::string_view::npos)
      encoded.push_back(c);
    else
      encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return encoded;
}

std::map<std::string, std::string, std::less<>> decode_form(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  each_piece(text, '&', [&](std::string_view pair) {
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (name && value && !name->empty()) values.emplace(std::move(*name), std::move(*value));
  });
  return values;
}

std::map<std::string, std::string, std::less<>> decode_cookies(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  each_piece(text, ';', [&](std::string_view pair) {
    const auto equals = pair.find('=');
    if (equals == pair.npos) return;
    const auto name = trim(pair.substr(0, equals));
    auto value = trim(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (!name.empty()) values.emplace(name, value);
  });
  return values;
}

std::optional<std::vector<std::string>> split_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return std::nullopt;
  std::vector<std::string> pieces;
  bool good = true;
  each_piece(path.substr(1), '/', [&](std::string_view raw) {
    auto piece = percent_decode(raw);
    good = good && piece && !unsafe_piece(*piece);
    if (good) pieces.push_back(std::move(*piece));
  });
  if (!good) return std::nullopt;
  return pieces;
}

}  // namespace rlhf::serving
