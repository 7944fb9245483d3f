#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

struct Pair {
  const Json* before = nullptr;
  const Json* after = nullptr;
};

constexpr std::size_t shown_openly = 8;
constexpr std::size_t shown_at_most = 60;

std::string scores(const Json& row) {
  std::string html;
  for (const char* key : {"gold", "learned", "judge"}) {
    if (const auto value = number(row, key))
      html += fmt::format("<span class='{0}'>{0} <b>{1}</b></span>", key, signed_fixed(*value, 2));
  }
  if (text(row, "finish_reason") == "length")
    html += "<span title='stopped because the length limit was reached'>cut</span>";
  return html.empty() ? "" : "<p class='chips'>" + html + "</p>";
}

std::string cell(const char* label, const Json* row) {
  if (row == nullptr) return "<td></td>";
  // The space before a continuation belongs to its first token; on the page it would be an indent.
  const auto completion = text(*row, "completion");
  const auto begin = std::min(completion.find_first_not_of(' '), completion.size());
  return fmt::format("<td data-label='{}'><p class='completion'>{}</p>{}</td>", label, escape(completion.substr(begin)),
                     scores(*row));
}

std::string rows_of(const std::vector<Pair>& pairs, std::size_t from, std::size_t to, const std::string& before,
                    const std::string& after) {
  std::string html;
  for (auto i = from; i < std::min(to, pairs.size()); ++i) {
    const auto& any = pairs[i].before != nullptr ? *pairs[i].before : *pairs[i].after;
    html += fmt::format("<tr><th scope='row'>{}</th>{}{}</tr>", escape(text(any, "prompt")),
                        cell(before.c_str(), pairs[i].before), cell(after.c_str(), pairs[i].after));
  }
  return html;
}

std::string table(const std::string& rows, const std::string& before, const std::string& after) {
  return fmt::format(
      "<table class='samples'><thead><tr><th scope='col'>Prompt</th><th scope='col'>{}</th><th scope='col'>{}</th>"
      "</tr></thead><tbody>{}</tbody></table>",
      before, after, rows);
}

/// The first sample of every prompt comes first, then the second of each: a fixed order, so that nobody chose them.
std::vector<Pair> pairs_of(const std::vector<Json>& samples, double first, double last) {
  std::map<std::string, std::size_t> prompt_order;
  std::map<std::pair<double, std::size_t>, Pair> pairs;
  for (const auto& row : samples) {
    const auto step = number(row, "step");
    if (!step || (*step != first && *step != last)) continue;
    const auto place = prompt_order.emplace(text(row, "prompt_id"), prompt_order.size()).first->second;
    auto& pair = pairs[{number(row, "sample").value_or(0), place}];
    (*step == first ? pair.before : pair.after) = &row;
  }
  std::vector<Pair> result;
  for (const auto& [key, pair] : pairs) result.push_back(pair);
  return result;
}

}  // namespace

std::string sample_pairs(const ReportData& data) {
  double first = INFINITY, last = -INFINITY;
  for (const auto& row : data.samples) {
    if (const auto step = number(row, "step")) {
      first = std::min(first, *step);
      last = std::max(last, *step);
    }
  }
  if (first >= last) return "";
  const auto pairs = pairs_of(data.samples, first, last);
  const auto before = fmt::format("Start (step {:.0f})", first), after = fmt::format("Step {:.0f}", last);
  auto html = table(rows_of(pairs, 0, shown_openly, before, after), before, after);
  const auto count = std::min(pairs.size(), shown_at_most);
  if (count > shown_openly) {
    html += fmt::format("<details><summary>{} more</summary>{}</details>", count - shown_openly,
                        table(rows_of(pairs, shown_openly, count, before, after), before, after));
  }
  return section("samples", "Before and after",
                 "The same prompts and random seeds, in the order of the file: nobody picked these.", html);
}

}  // namespace rlhf::evaluation::detail
