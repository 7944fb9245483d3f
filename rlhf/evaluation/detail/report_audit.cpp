// What an agent that is trained anew on the final reward model is paid, beside what it earns.
#include <map>
#include <tuple>

#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;
using Seeds = std::map<std::string, std::vector<const Json*>>;  // rows of audit.jsonl

/// One number against the steps: a pale line for each seed, and their mean.
std::vector<Series> over_seeds(const Seeds& seeds, const char* key, const char* name, const char* tone) {
  std::vector<Series> lines;
  std::map<double, std::pair<double, int>> sums;  // by steps, over seeds
  for (const auto& [seed, rows] : seeds) {
    Series one{.name = name, .tone = tone, .points = {}, .faint = true};
    for (const auto* row : rows)
      if (const auto x = number(*row, "steps"), y = number(*row, key); x && y) {
        one.points.push_back({*x, *y});
        sums[*x].first += *y;
        ++sums[*x].second;
      }
    if (seeds.size() > 1) lines.push_back(std::move(one));
  }
  Series mean{.name = name, .tone = tone, .points = {}};
  for (const auto& [x, sum] : sums) mean.points.push_back({x, sum.first / sum.second});
  lines.push_back(std::move(mean));
  return lines;
}

std::string audit_figure(const std::string& arm, const Seeds& seeds) {
  Chart chart{.title = arm.empty() ? "Retrained on the frozen reward model" : arm,
              .caption =
                  "what is paid by the model and what is earned in truth; 0 = an agent that has learnt nothing, "
                  "1 = the one that the model was made with; a pale line for each seed",
              .x_name = "steps \u2192",
              .series = over_seeds(seeds, "predicted", "paid", "learned"),
              .bands = {{1, 1, "as that agent"}}};
  for (auto& line : over_seeds(seeds, "earned", "earned", "gold")) chart.series.push_back(std::move(line));
  return figure(chart);
}

}  // namespace

std::string audit_charts(const ReportData& data) {
  std::map<std::string, Seeds> arms;
  for (const auto& row : data.audit) {
    const auto arm = text(row, "arm"), seed = row.value("seed", Json()).dump();
    // What was audited in the score's own units is drawn in these (report_help.cpp).
    if (!std::filesystem::exists(data.folder / "arms" / (arm + "-" + seed) / "frozen.csv"))
      arms[arm][seed].push_back(&row);
  }
  std::string figures;
  for (const auto& [arm, seeds] : arms) figures += audit_figure(arm, seeds);
  return section("audit", "Frozen and retrained",
                 "A reward model is only as good as the worst that can be made of it: what an agent trained on the "
                 "final model, which no longer changes, is paid, and what it earns.",
                 side_by_side(figures));
}

}  // namespace rlhf::evaluation::detail
