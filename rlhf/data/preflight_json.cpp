#include "rlhf/data/preflight.h"

namespace rlhf::data {

nlohmann::json to_json(const Preflight& report) {
  nlohmann::json dropped = nlohmann::json::object(), rows = nlohmann::json::array();
  for (const auto& [problem, each] : report.dropped)
    dropped[std::string(problem_name(problem))] = {{"rows", each.rows}, {"first", each.first}};
  for (const auto& row : report.shown) rows.push_back({{"where", row.where}, {"ids", row.ids}, {"mask", row.mask}});
  const auto& lengths = report.lengths;
  return {{"source", report.source},
          {"read", report.read},
          {"kept", report.kept},
          {"dropped", dropped},
          {"tokens", report.tokens},
          {"supervised", report.supervised},
          {"stopped", report.stopped},
          {"merged", report.merged},
          {"lengths",
           {{"smallest", lengths.smallest},
            {"median", lengths.median},
            {"p95", lengths.p95},
            {"largest", lengths.largest},
            {"total", lengths.total},
            {"bins", lengths.bins}}},
          {"shown", rows}};
}

}  // namespace rlhf::data
