#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rlhf/data/readers/line_source.h"

namespace rlhf::data {

struct JsonlLimits {
  std::size_t line_bytes = std::size_t{64} << 20;     // longest line accepted
  std::size_t document_bytes = std::size_t{2} << 30;  // longest .json document accepted (it is held in memory)
  int depth = 64;                                     // deepest nesting of lists and objects
};

struct JsonlRow {
  nlohmann::json value;
  std::string where;        // "pairs.jsonl:17"; in a .json document "labels.json[16]"
  std::int64_t number = 0;  // line, or element counted from 0 in a document
};

/// Rows of a JSONL file, one at a time: plain or gzip (known by its first bytes), with or without byte order mark,
/// LF or CRLF, blank lines skipped. A name ending in .json or .json.gz is one JSON array whose elements are the rows.
///
/// Every malformed input throws rlhf::Error (bad_data) with file, line and byte; nothing else is ever thrown for one.
class JsonlReader {
 public:
  /// "-" is standard input.
  static JsonlReader open(const std::filesystem::path& path, const JsonlLimits& limits = {});

  /// Bytes in memory: tests, fuzzing. `name` stands for the file in messages, and its ending decides as for a file.
  static JsonlReader from_text(std::string bytes, std::string name = "<memory>", const JsonlLimits& limits = {});

  /// The next row, or nothing at the end.
  std::optional<JsonlRow> next();

  const std::string& name() const { return name_; }

 private:
  JsonlReader(LineSource source, std::string name, const JsonlLimits& limits);
  std::optional<JsonlRow> next_element();

  LineSource source_;
  std::string name_;
  JsonlLimits limits_;
  bool document_ = false;
  std::optional<nlohmann::json> elements_;  // a document, once read
  std::size_t element_ = 0;
};

}  // namespace rlhf::data
