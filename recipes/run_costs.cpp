#include "recipes/run_costs.h"

#include <sys/resource.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "rlhf/core/clock.h"

namespace rlhf::recipes {

RunCosts::RunCosts(Run& run) : run_(run), last_(steady_seconds()) {}

void RunCosts::phase(const std::string& name) {
  const double now = steady_seconds();
  seconds_[name] += now - last_;
  last_ = now;
}

void RunCosts::write(const feedback::Counts& labels, double flip_rate, const algorithms::RewardResult& reward) {
  std::ifstream file(run_.folder() / "run.json");
  auto record = nlohmann::json::parse(file, nullptr, false);
  if (!record.is_object()) record = nlohmann::json::object();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  record["cost"] = {{"seconds", seconds_}, {"peak_memory_bytes", usage.ru_maxrss * 1024}};
  record["labels"] = {{"total", labels.answers},     {"simulated", labels.answers},
                      {"skipped", labels.skips},     {"labeler", "VADER, best of N"},
                      {"flip_rate", flip_rate},      {"held_out_pairs", reward.held_out.pairs}};
  run_.write_file("run.json", record.dump(2) + "\n");
}

double mean_of_last(const Run& run, const std::string& metric, std::size_t count) {
  std::ifstream file(run.folder() / "metrics.jsonl");
  std::vector<double> values;
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, false);
    if (row.is_object() && row.contains(metric) && row[metric].is_number()) values.push_back(row[metric]);
  }
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto used = std::min(count, values.size());
  double sum = 0;
  for (auto i = values.size() - used; i < values.size(); ++i) sum += values[i];
  return sum / static_cast<double>(used);
}

}  // namespace rlhf::recipes
