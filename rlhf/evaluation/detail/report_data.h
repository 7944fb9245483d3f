#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/evaluation/detail/chart.h"

namespace rlhf::evaluation::detail {

/// A line of config.toml, taken apart for the page.
struct Setting {
  std::string group, name, value, origin;  // origin: "default", "small.toml:3", "flag"; may be empty
};

/// Everything the page is made of. Parts that the run folder lacks are empty.
struct ReportData {
  std::filesystem::path folder;
  nlohmann::json run = nlohmann::json::object();
  nlohmann::json verdict = nlohmann::json::object();
  std::vector<nlohmann::json> evaluations, metrics, timing, samples, arms, audit, promises;
  std::vector<Setting> settings;

  /// Throws rlhf::Error when the folder is missing or a file in it is broken.
  static ReportData read(const std::filesystem::path& folder);
};

std::optional<double> number(const nlohmann::json& row, const char* key);
/// A text of the object; empty when it is missing or no text.
std::string text(const nlohmann::json& object, const char* key);

/// The object of a JSON file; empty where it is missing.
nlohmann::json read_object(const std::filesystem::path& file);

/// The objects of a JSON Lines file; none where it is missing.
std::vector<nlohmann::json> read_rows(const std::filesystem::path& file);

/// The numbers under `key` against the rows' steps; `low` and `high`, when given, become the interval.
std::vector<Point> points(const std::vector<nlohmann::json>& rows, const char* key, const char* low = nullptr,
                          const char* high = nullptr);

}  // namespace rlhf::evaluation::detail
