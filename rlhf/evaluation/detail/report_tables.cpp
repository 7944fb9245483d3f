#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

const Json& object_of(const Json& parent, const char* key) {
  static const Json empty = Json::object();
  const auto found = parent.find(key);
  return found != parent.end() && found->is_object() ? *found : empty;
}

std::string fact(const std::string& name, const std::string& value) {
  return fmt::format("<tr><th scope='row'>{}</th><td>{}</td></tr>", name, value);
}

std::string labels_table(const Json& labels) {
  constexpr auto names = std::to_array<std::pair<const char*, const char*>>(
      {{"total", "Answers"}, {"human", "by people"}, {"simulated", "simulated"}, {"ties", "ties"},
       {"skipped", "skipped"}, {"train", "for training"}, {"held_out", "held out"},
       {"held_out_pairs", "held-out pairs"}});
  std::string rows;
  for (const auto& [key, name] : names) {
    if (const auto value = number(labels, key)) rows += fact(name, grouped(*value));
  }
  if (const auto labeler = text(labels, "labeler"); !labeler.empty()) rows += fact("Labeler", escape(labeler));
  if (const auto rate = number(labels, "flip_rate")) rows += fact("Answered wrongly on purpose", percent(*rate));
  return rows.empty() ? "" : "<div><h3>Labels</h3><table class='facts-table'><tbody>" + rows + "</tbody></table></div>";
}

/// Seconds by phase: what the run recorded, or the sums of the per-step times.
std::map<std::string, double> seconds_by_phase(const ReportData& data) {
  std::map<std::string, double> seconds;
  for (const auto& [phase, value] : object_of(object_of(data.run, "cost"), "seconds").items()) {
    if (value.is_number()) seconds[phase] = value.get<double>();
  }
  if (!seconds.empty()) return seconds;
  for (const auto& row : data.timing) {
    for (const auto& [key, value] : row.items()) {
      const bool phase = key.starts_with("time/") && key != "time/since_start" && key != "time/since_last_report";
      if (phase && value.is_number()) seconds[key.substr(5)] += value.get<double>();
    }
  }
  return seconds;
}

std::string cost_table(const ReportData& data) {
  const auto seconds = seconds_by_phase(data);
  std::vector<std::pair<std::string, double>> phases(seconds.begin(), seconds.end());
  std::stable_sort(phases.begin(), phases.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  double total = 0.0;
  for (const auto& [phase, value] : phases) total += value;
  std::string rows;
  for (const auto& [phase, value] : phases) {
    const double share = total > 0.0 ? value / total : 0.0;
    rows += fmt::format(
        "<tr><th scope='row'>{}</th><td class='bar'><i style='width:{:.1f}%'></i></td><td>{}</td><td>{}</td></tr>",
        escape(phase), 100.0 * share, duration(value), percent(share));
  }
  if (phases.size() > 1)
    rows +=
        fmt::format("<tr class='total'><th scope='row'>all</th><td></td><td>{}</td><td></td></tr>", duration(total));
  const auto& cost = object_of(data.run, "cost");
  for (const auto& [name, value] : object_of(cost, "tokens").items()) {
    if (value.is_number())
      rows += fmt::format("<tr><th scope='row'>tokens {}</th><td></td><td>{}</td><td></td></tr>", escape(name),
                          grouped(value.get<double>()));
  }
  if (const auto peak = number(cost, "peak_memory_bytes")) {
    rows += fmt::format("<tr><th scope='row'>peak memory</th><td></td><td>{} GiB</td><td></td></tr>",
                        fixed(*peak / (1024.0 * 1024.0 * 1024.0), 2));
  }
  if (rows.empty()) return "";
  return "<div><h3>Time and memory</h3><table class='facts-table cost'><tbody>" + rows + "</tbody></table></div>";
}

struct Column {
  const char* key;
  const char* name;
  int decimals;
};
constexpr auto columns = std::to_array<Column>(
    {{"step", "Step", 0}, {"gold", "Gold", 3}, {"learned", "Learned", 3}, {"judge", "Judge", 3},
     {"win_rate", "Win rate", 3}, {"kl", "KL", 2}, {"entropy", "Entropy", 2}, {"length", "Length", 1},
     {"distinct_1", "Distinct-1", 3}, {"distinct_2", "Distinct-2", 3}, {"repetition", "Repetition", 3},
     {"perplexity", "Perplexity", 1}});

bool present(const std::vector<Json>& rows, const char* key) {
  return std::any_of(rows.begin(), rows.end(), [key](const Json& row) { return number(row, key).has_value(); });
}

}  // namespace

std::string labels_and_cost(const ReportData& data) {
  const auto content = labels_table(object_of(data.run, "labels")) + cost_table(data);
  return section("cost", "Labels and cost", "", content.empty() ? "" : "<div class='pair'>" + content + "</div>");
}

std::string promises_section(const ReportData& data) {
  std::string rows;
  for (const auto& promise : data.promises) {
    const auto value = number(promise, "value"), min = number(promise, "min"), max = number(promise, "max");
    const bool kept = promise.value("passed", false);
    const auto bound = (min ? "at least " + short_number(*min) : "") + (min && max ? ", " : "") +
                       (max ? "at most " + short_number(*max) : "");
    rows +=
        fmt::format("<tr><th scope='row'>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>", escape(text(promise, "name")),
                    value ? short_number(*value) : "not there", bound, kept ? "kept" : "<strong>missed</strong>");
  }
  if (rows.empty()) return "";
  const auto head =
      "<th scope='col'>Number</th><th scope='col'>Came out</th><th scope='col'>Promised</th><th scope='col'></th>";
  return section("promises", "Promises", "What the preset promised before the run, and what came out.",
                 wide_table("Promises", head, rows));
}

std::string evaluation_table(const ReportData& data) {
  if (data.evaluations.empty()) return "";
  std::string head, body;
  for (const auto& column : columns) {
    if (present(data.evaluations, column.key)) head += fmt::format("<th scope='col'>{}</th>", column.name);
  }
  for (const auto& row : data.evaluations) {
    body += "<tr>";
    for (const auto& column : columns) {
      if (!present(data.evaluations, column.key)) continue;
      const auto value = number(row, column.key);
      body += fmt::format("<td>{}</td>", value ? fixed(*value, column.decimals) : "");
    }
    body += "</tr>";
  }
  return section("evaluations", "Every evaluation", "", wide_table("Table of every evaluation", head, body));
}

std::string settings_table(const ReportData& data) {
  if (data.settings.empty()) return "";
  std::string rows, group;
  std::size_t changed = 0;
  for (const auto& one : data.settings) {
    if (one.group != group)
      rows += fmt::format("<tr class='group'><th colspan='3' scope='rowgroup'>{}</th></tr>", escape(one.group));
    group = one.group;
    const bool is_changed = !one.origin.empty() && one.origin != "default";
    changed += is_changed ? 1 : 0;
    rows += fmt::format("<tr class='{}'><th scope='row'>{}</th><td><code>{}</code></td><td>{}</td></tr>",
                        is_changed ? "changed" : "", escape(one.name), escape(one.value), escape(one.origin));
  }
  const auto command = text(data.run, "command");
  return section("settings", "Settings", command.empty() ? "" : "<code>" + escape(command) + "</code>",
                 fmt::format("<details><summary>{} settings, {} of them not at their default</summary>"
                             "<table class='settings'><thead><tr><th scope='col'>Setting</th><th scope='col'>Value</th>"
                             "<th scope='col'>From</th></tr></thead><tbody>{}</tbody></table></details>",
                             data.settings.size(), changed, rows));
}

}  // namespace rlhf::evaluation::detail
