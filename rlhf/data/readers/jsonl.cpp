#include "rlhf/data/readers/jsonl.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::data {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Length of the valid UTF-8 sequence at `at` (Unicode 15, table 3-7), or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[at + i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate_or_beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || surrogate_or_beyond ? 0 : length;
}

std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

/// Deep nesting is refused before parsing: copying and printing a JSON value recurse.
std::size_t first_too_deep(std::string_view text, int limit) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && c == '\\') ++at;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if ((c == '{' || c == '[') && ++depth > limit) return at;
    if (c == '}' || c == ']') --depth;
  }
  return std::string_view::npos;
}

/// nlohmann-json's reason without its own prefix of identifiers and positions, and without the megabytes it may quote.
std::string reason(const nlohmann::json::exception& error) {
  std::string text = error.what();
  if (const auto bracket = text.find("] "); bracket != std::string::npos) text.erase(0, bracket + 2);
  if (const auto dash = text.find(" - "); dash != std::string::npos) text.erase(0, dash + 3);
  constexpr std::size_t longest = 120;
  if (text.size() <= longest) return text;
  auto end = longest;
  while (is_continuation(text[end])) --end;
  return text.substr(0, end) + "...";
}

struct Place {
  std::string name;
  std::int64_t line = 1;  // of the text's first line
};

[[noreturn]] void fail_at(const Place& place, std::string_view text, std::size_t byte, std::string what,
                          std::string fix) {
  const auto before = text.substr(0, std::min(byte, text.size()));
  const auto line = place.line + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 == 0
  throw Error({.category = Category::bad_data,
               .where = place.name + ":" + std::to_string(line) + ":" + std::to_string(before.size() - line_start + 1),
               .what = std::move(what),
               .fix = std::move(fix)});
}

nlohmann::json parse(std::string_view text, const Place& place, int depth) {
  if (const auto at = first_invalid_utf8(text); at != std::string_view::npos) {
    fail_at(place, text, at, "the text is not valid UTF-8", "Convert the file to UTF-8, for example with iconv.");
  }
  if (const auto at = first_too_deep(text, depth); at != std::string_view::npos) {
    fail_at(place, text, at, "lists and objects are nested more than " + std::to_string(depth) + " deep", "");
  }
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail_at(place, text, error.byte == 0 ? 0 : error.byte - 1, "this is not valid JSON: " + reason(error),
            "Each line must be one complete JSON value.");
  } catch (const nlohmann::json::exception& error) {  // a number too large for a double
    fail_at(place, text, 0, "this JSON cannot be held: " + reason(error), "");
  }
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

JsonlReader::JsonlReader(LineSource source, std::string name, const JsonlLimits& limits)
    : source_(std::move(source)), name_(std::move(name)), limits_(limits) {
  document_ = name_.ends_with(".json") || name_.ends_with(".json.gz");
}

JsonlReader JsonlReader::open(const std::filesystem::path& path, const JsonlLimits& limits) {
  auto source = LineSource::open(path);
  std::string name = source.name();
  return JsonlReader(std::move(source), std::move(name), limits);
}

JsonlReader JsonlReader::from_text(std::string bytes, std::string name, const JsonlLimits& limits) {
  return JsonlReader(LineSource::from_text(std::move(bytes), name), name, limits);
}

std::optional<JsonlRow> JsonlReader::next() {
  if (document_) return next_element();
  std::string line;
  while (source_.next(line, limits_.line_bytes)) {
    if (is_blank(line)) continue;
    const auto number = source_.line();
    return JsonlRow{parse(line, {name_, number}, limits_.depth), name_ + ":" + std::to_string(number), number};
  }
  return std::nullopt;
}

std::optional<JsonlRow> JsonlReader::next_element() {
  if (!elements_) {
    elements_ = parse(source_.rest(limits_.document_bytes), {name_, 1}, limits_.depth);
    if (!elements_->is_array()) {
      throw Error(
          {.category = Category::bad_data,
           .where = name_,
           .what = std::string("the document is one ") + elements_->type_name() + "; a list of rows was expected",
           .fix = "If it has one row a line, give it a name that ends in .jsonl."});
    }
  }
  if (element_ == elements_->size()) return std::nullopt;
  const auto index = element_++;
  return JsonlRow{std::move((*elements_)[index]), name_ + "[" + std::to_string(index) + "]",
                  static_cast<std::int64_t>(index)};
}

}  // namespace rlhf::data
