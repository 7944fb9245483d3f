#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

using Json = nlohmann::json;

/// One of the numbers below the verdict.
struct Headline {
  std::string tone, name, value, detail;
  std::string bar;  // SVG, may be empty
};

/// Where the value lay at the start (thin mark) and lies now (thick mark, with its interval), on a scale `low`..`high`.
std::string range_bar(double low, double high, double start, double now, std::optional<double> now_low = {},
                      std::optional<double> now_high = {}) {
  if (!(high > low)) return "";
  const auto at = [&](double value) { return 4.0 + 192.0 * (std::clamp(value, low, high) - low) / (high - low); };
  std::string svg =
      "<svg class='range' viewBox='0 0 200 14' aria-hidden='true' preserveAspectRatio='none'>"
      "<line class='track' x1='4' x2='196' y1='7' y2='7'/>";
  if (now_low && now_high)
    svg += fmt::format("<line class='spread' x1='{:.1f}' x2='{:.1f}' y1='7' y2='7'/>", at(*now_low), at(*now_high));
  svg += fmt::format("<line class='start' x1='{0:.1f}' x2='{0:.1f}' y1='2' y2='12'/>", at(start));
  return svg + fmt::format("<line class='now' x1='{0:.1f}' x2='{0:.1f}' y1='1' y2='13'/></svg>", at(now));
}

std::optional<Headline> gold(const Json& first, const Json& last) {
  const auto before = number(first, "gold"), now = number(last, "gold");
  const auto low = number(last, "gold_low"), high = number(last, "gold_high");
  if (!before || !now) return std::nullopt;
  const double least = std::min({*before, *now, low.value_or(*now), 0.0});
  const double most = std::max({*before, *now, high.value_or(*now), 1.0});
  return Headline{"gold", "Gold score", fixed(*now, 2),
                  fmt::format("from {}{}", fixed(*before, 2),
                              low && high ? fmt::format(", 95% {} to {}", fixed(*low, 2), fixed(*high, 2)) : ""),
                  range_bar(least, most, *before, *now, low, high)};
}

std::optional<Headline> wins(const Json& first, const Json& last) {
  const auto rate = number(last, "win_rate"), low = number(last, "win_low"), high = number(last, "win_high");
  if (!rate || &first == &last) return std::nullopt;
  return Headline{
      "gold", "Win rate against the start", percent(*rate),
      low && high ? fmt::format("95% {} to {}, ties half", percent(*low), percent(*high)) : std::string("ties half"),
      range_bar(0.0, 1.0, 0.5, *rate, low, high)};
}

std::optional<Headline> judge(const Json& first, const Json& last) {
  const auto before = number(first, "judge"), now = number(last, "judge");
  if (!before || !now) return std::nullopt;
  const auto rate = number(last, "judge_win_rate");
  return Headline{"judge", "Second judge", fixed(*now, 2),
                  fmt::format("from {}{}", fixed(*before, 2), rate ? fmt::format(", wins {}", percent(*rate)) : ""),
                  range_bar(std::min({*before, *now, 0.0}), std::max({*before, *now, 1.0}), *before, *now)};
}

std::optional<Headline> distance(const Json&, const Json& last) {
  const auto kl = number(last, "kl");
  if (!kl) return std::nullopt;
  const auto length = number(last, "length");
  return Headline{"plain", "KL from the start", fixed(*kl, 1),
                  length && *length > 0 ? fmt::format("nats a completion, {} a token", fixed(*kl / *length, 2))
                                        : std::string("nats a completion"),
                  ""};
}

std::optional<Headline> variety(const Json& first, const Json& last) {
  const auto before = number(first, "distinct_2"), now = number(last, "distinct_2");
  if (!before || !now) return std::nullopt;
  return Headline{"plain", "Distinct word pairs", fixed(*now, 2), fmt::format("from {}", fixed(*before, 2)),
                  range_bar(0.0, 1.0, *before, *now)};
}

std::optional<Headline> perplexity(const Json& first, const Json& last) {
  const auto before = number(first, "perplexity"), now = number(last, "perplexity");
  if (!before || !now || *before <= 0.0) return std::nullopt;
  return Headline{"plain", "Perplexity under the start", "\u00d7" + fixed(*now / *before, 2),
                  fmt::format("from {} to {}", fixed(*before, 1), fixed(*now, 1)), ""};
}

/// "2026-01-12T09:30:00Z" as "2026-01-12 09:30 UTC"; anything else as it is.
std::string readable_time(const std::string& time) {
  if (time.size() < 17 || time[10] != 'T' || time.back() != 'Z') return time;
  return time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

struct OutcomeWords {
  const char* code;
  const char* tag;
};
constexpr std::array outcomes = std::to_array<OutcomeWords>({{"improved", "Improved"},
                                                             {"unchanged", "No clear difference"},
                                                             {"worse", "Worse"},
                                                             {"overoptimized", "Over-optimised"}});

std::string findings_list(const Json& verdict) {
  const auto findings = verdict.find("findings");
  if (findings == verdict.end() || !findings->is_array() || findings->empty()) return "";
  std::string html = "<ul class='findings'>";
  for (const auto& finding : *findings) {
    const bool serious = finding.is_object() && finding.value("serious", false);
    html += fmt::format("<li class='{}'><b>{}</b> {}</li>", serious ? "serious" : "warning",
                        serious ? "Serious" : "Warning", escape(text(finding, "text")));
  }
  return html + "</ul>";
}

}  // namespace

std::string side_by_side(const std::string& figures) {
  return figures.empty() ? "" : "<div class='figures'>" + figures + "</div>";
}

std::string wide_table(const char* label, const std::string& head, const std::string& body) {
  return fmt::format(
      "<div class='wide' tabindex='0' role='region' aria-label='{}'><table class='data'>"
      "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
      label, head, body);
}

std::string section(const char* id, const char* title, const std::string& lead, const std::string& content) {
  if (content.empty()) return "";
  return fmt::format("<section id='{}'><h2>{}</h2>{}\n{}</section>\n", id, title,
                     lead.empty() ? "" : "<p class='lead'>" + lead + "</p>", content);
}

std::string run_name(const ReportData& data) {
  const auto name = text(data.run, "name");
  if (!name.empty()) return name;
  const auto folder = std::filesystem::absolute(data.folder).lexically_normal();
  return (folder.filename().empty() ? folder.parent_path() : folder).filename().string();
}

std::string header(const ReportData& data) {
  std::vector<std::string> facts;
  const auto add = [&](const std::string& fact) {
    if (!fact.empty()) facts.push_back("<span>" + escape(fact) + "</span>");
  };
  add(text(data.run, "recipe"));
  add(text(data.run, "model"));
  add(text(data.run, "preset"));
  const auto starts = data.run.find("starts");
  if (starts != data.run.end() && starts->is_array() && !starts->empty() && starts->front().is_object()) {
    const auto& start = starts->front();
    add(readable_time(text(start, "time")));
    if (const auto machine = start.find("machine"); machine != start.end() && machine->is_object()) {
      add(text(*machine, "processor"));
      if (const auto release = text(*machine, "release"); !release.empty()) add("rlhf.cpp " + release);
    }
    if (starts->size() > 1) add(fmt::format("resumed {} times", starts->size() - 1));
  } else {
    add(text(data.run, "started"));
    add(text(data.run, "host"));
  }
  std::string line;
  for (const auto& fact : facts) line += fact;
  auto algorithm = text(data.run, "algorithm");
  std::replace(algorithm.begin(), algorithm.end(), '_', ' ');
  return fmt::format("<header><p class='eyebrow'>Run report{}</p><h1>{}</h1><p class='facts'>{}</p></header>\n",
                     algorithm.empty() ? "" : " \u00b7 " + escape(algorithm), escape(run_name(data)), line);
}

std::string verdict_banner(const ReportData& data) {
  const auto headline = text(data.verdict, "headline");
  if (headline.empty()) return "";
  const auto outcome = text(data.verdict, "outcome");
  const auto words =
      std::find_if(outcomes.begin(), outcomes.end(), [&](const OutcomeWords& one) { return outcome == one.code; });
  std::string advice;
  const auto best = number(data.verdict, "best_step");
  const auto last = data.evaluations.empty() ? std::nullopt : number(data.evaluations.back(), "step");
  if (best && last && *best != *last) {
    advice = fmt::format(
        "<p class='advice'>Keep the checkpoint of step {:.0f}: the highest gold score before anything serious was "
        "found.</p>",
        *best);
  }
  return fmt::format(
      "<div class='verdict {}' role='status'><p class='tag'>{}</p><p class='sentence'>{}</p>{}{}</div>\n",
      words == outcomes.end() ? "unchanged" : words->code, words == outcomes.end() ? "Verdict" : words->tag,
      escape(headline), advice, findings_list(data.verdict));
}

std::string headline_numbers(const ReportData& data) {
  if (data.evaluations.empty()) return "";
  const auto &first = data.evaluations.front(), &last = data.evaluations.back();
  std::string html;
  for (const auto& make : {gold, wins, judge, distance, variety, perplexity}) {
    const auto one = make(first, last);
    if (!one) continue;
    html += fmt::format("<div class='number {}'><dt>{}</dt><dd><b>{}</b>{}<span>{}</span></dd></div>", one->tone,
                        one->name, one->value, one->bar, one->detail);
  }
  if (html.empty()) return "";
  std::string counted;
  if (const auto samples = number(last, "samples"), prompts = number(last, "prompts"); samples && prompts)
    counted = fmt::format(
        "{} completions of {} held-out prompts, step {:.0f} against step {:.0f}. "
        "Bars: the thin mark is the start, the thick one now.",
        grouped(*samples), grouped(*prompts), number(last, "step").value_or(0), number(first, "step").value_or(0));
  return fmt::format("<dl class='numbers'>{}</dl><p class='note'>{}</p>\n", html, counted);
}

}  // namespace rlhf::evaluation::detail
