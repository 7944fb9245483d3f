#include "rlhf/evaluation/detail/report_studies.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/evaluation/over_seeds.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

struct Known {
  const char *prefix, *title, *score, *unit;
};

/// An arm belongs to the first of these whose prefix and score it has.
constexpr Known known[] = {
    {"mountain_car_", "MountainCar", "return", "return of an episode"},
    {"mini_bowl_", "MiniBowl", "return", "score of a game"},
    {"pursuit_", "In real time", "tracking", "tracking reward, 1 = that of a scripted expert"},
    {"change_", "A change of mind", "second", "share of the starts from which the agent arrives at the end"},
    {"inspector_", "Inspector", "truth", "true score of the agent\u2019s routes"},
    {"ledger_", "Ledger", "truth", "right lines of the agent\u2019s pages"},
    {"depth_", "Depth", "truth", "true score of the agent\u2019s routes"},
    {"tampering_", "Tampering", "true_return", "true return of an episode"},
    {"", "", "success", "share of the episodes that succeed"},
    {"", "", "return", "return of an episode"}};

bool has(const Json& row, const Known& one) {
  return text(row, "arm").starts_with(one.prefix) && number(row, one.score);
}

}  // namespace

std::vector<Study> studies_of(const std::vector<Json>& arms) {
  std::vector<Study> studies;
  for (const auto& row : arms) {
    const auto kind = std::find_if(std::begin(known), std::end(known), [&](const Known& one) { return has(row, one); });
    if (kind == std::end(known)) continue;
    const auto same = [&](const Study& one) { return one.prefix == kind->prefix && one.score == kind->score; };
    auto study = std::find_if(studies.begin(), studies.end(), same);
    if (study == studies.end()) study = studies.insert(study, {kind->prefix, kind->title, kind->score, kind->unit, {}});
    const auto arm = text(row, "arm");
    if (std::find(study->arms.begin(), study->arms.end(), arm) == study->arms.end()) study->arms.push_back(arm);
  }
  return studies;
}

std::vector<double> values_of(const std::vector<Json>& arms, const std::string& arm, const std::string& key) {
  std::vector<double> values;
  for (const auto& row : arms)
    if (text(row, "arm") == arm)
      if (const auto value = number(row, key.c_str())) values.push_back(*value);
  return values;
}

std::vector<std::filesystem::path> folders_of(const ReportData& data, const std::string& arm) {
  std::vector<std::filesystem::path> folders;
  for (const auto& row : data.arms)
    if (text(row, "arm") == arm)
      folders.push_back(data.folder / "arms" / fmt::format("{}-{}", arm, row.value("seed", 0)));
  return folders;
}

Point over_runs(double x, const std::vector<double>& values) {
  const auto mean = mean_over_runs(values, {.resamples = values.size() > 1 ? 500 : 1});
  Point point{.x = x, .y = mean.mean};
  if (values.size() > 1) point.low = mean.low, point.high = mean.high;
  return point;
}

}  // namespace rlhf::evaluation::detail
