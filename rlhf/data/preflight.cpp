#include "rlhf/data/preflight.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::data {
namespace {

// What the three kinds of row have in common, as far as a report is concerned: tokens, and which of them are learnt
// from.

const Prompt& content(const EncodedPrompt& encoded) { return encoded.prompt; }
const Example& content(const EncodedExample& encoded) { return encoded.example; }
const Comparison& content(const EncodedComparison& encoded) { return encoded.comparison; }
const Rating& content(const EncodedRating& encoded) { return encoded.rating; }

ShownRow shown(const Example& row) { return {.where = "", .ids = row.ids, .mask = row.mask}; }

ShownRow shown(const TokenIds& prompt, std::span<const TokenIds> completions) {
  ShownRow made{.where = "", .ids = prompt, .mask = std::vector<std::uint8_t>(prompt.size(), 0)};
  for (const auto& ids : completions) {
    made.ids.insert(made.ids.end(), ids.begin(), ids.end());
    made.mask.insert(made.mask.end(), ids.size(), 1);
  }
  return made;
}
ShownRow shown(const Prompt& row) { return shown(row.ids, {}); }
ShownRow shown(const Comparison& row) { return shown(row.prompt, row.items); }
ShownRow shown(const Rating& row) { return shown(row.prompt, std::span(&row.completion, 1)); }

/// Two rows with equal keys are copies of each other, to 1 in 2^64.
std::string key(const ShownRow& row, std::string_view extra) {
  std::string bytes(reinterpret_cast<const char*>(row.ids.data()), row.ids.size() * sizeof(TokenId));
  bytes.append(reinterpret_cast<const char*>(row.mask.data()), row.mask.size()).append(extra);
  return bytes;
}
std::string judgement(const Prompt& row) { return row.id; }
std::string judgement(const Example&) { return ""; }
std::string judgement(const Comparison& row) {
  std::string text = std::to_string(row.tie ? -1 : row.best);
  for (const auto& item : row.items) text += "," + std::to_string(item.size());
  return text;
}
std::string judgement(const Rating& row) { return std::to_string(row.value); }

/// A demonstration that never stops teaches not to stop; what a comparison or rating is about may well be cut off.
bool must_stop(const Example&) { return true; }
bool must_stop(const Prompt&) { return false; }
bool must_stop(const Comparison&) { return false; }
bool must_stop(const Rating&) { return false; }

const std::string& place(const Prompt& row) { return row.id; }
template <class Written>
const std::string& place(const Written& row) {
  return row.where;
}

template <class Row>
class Preparation {
 public:
  Preparation(std::string source, const PreflightOptions& options) : options_(options) {
    made_.report.source = std::move(source);
  }

  template <class Encoded>
  void add(Encoded encoded, const std::string& where) {
    auto& report = made_.report;
    ++report.read;
    auto row = shown(content(encoded));
    auto problem = encoded.problem;
    if (!problem && !encoded.stopped && must_stop(content(encoded)) && !options_.allow_no_stop)
      problem = Problem::missing_stop;
    if (!problem && !seen_.emplace(hash(key(row, judgement(content(encoded)))), 0).second) problem = Problem::duplicate;
    if (problem) {
      auto& dropped = report.dropped[*problem];
      if (dropped.rows++ == 0) dropped.first = where;
      return;
    }
    keep(encoded, std::move(row), where);
  }

  Prepared<Row> finish() && {
    made_.report.lengths = length_histogram(lengths_);
    return std::move(made_);
  }

 private:
  template <class Encoded>
  void keep(Encoded& encoded, ShownRow row, const std::string& where) {
    auto& report = made_.report;
    ++report.kept;
    report.stopped += encoded.stopped ? 1 : 0;
    report.merged += encoded.merged ? 1 : 0;
    report.tokens += static_cast<std::int64_t>(row.ids.size());
    for (const auto learnt : row.mask) report.supervised += learnt;
    lengths_.push_back(static_cast<std::int64_t>(row.ids.size()));
    row.where = where;
    if (static_cast<int>(report.shown.size()) < options_.show) report.shown.push_back(std::move(row));
    made_.where.push_back(where);
    made_.rows.push_back(content(encoded));
  }

  const PreflightOptions& options_;
  Prepared<Row> made_;
  std::vector<std::int64_t> lengths_;
  std::unordered_map<std::uint64_t, char> seen_;
};

template <class Row, class Written>
Prepared<Row> prepare_all(std::span<const Written> rows, const text::TextBundle& text, std::string source,
                          const PreflightOptions& options) {
  Preparation<Row> preparation(std::move(source), options);
  for (const auto& row : rows) preparation.add(encode(row, text, options.encode), place(row));
  return std::move(preparation).finish();
}

std::string advice(Problem problem) {
  switch (problem) {
    case Problem::too_long:
      return "Raise max_tokens, or shorten the rows.";
    case Problem::missing_stop:
      return "The chat template does not end an assistant turn with a stop token: correct the template or the stop "
             "ids, or pass allow_no_stop.";
    case Problem::template_mismatch:
      return "The chat template rewrites earlier text once an answer is there: use plain prompt and completion "
             "strings, or another template.";
    default:
      return "Correct the rows.";
  }
}

std::string list_dropped(const Preflight& report) {
  std::string text;
  for (const auto& [problem, dropped] : report.dropped) {
    text += (text.empty() ? "" : ", ") + std::to_string(dropped.rows) + " " + std::string(problem_name(problem)) +
            " (first: " + dropped.first + ")";
  }
  return text;
}

Problem commonest(const Preflight& report) {
  auto found = report.dropped.begin();
  for (auto it = found; it != report.dropped.end(); ++it) {
    if (found->first == Problem::duplicate || (it->second.rows > found->second.rows && it->first != Problem::duplicate))
      found = it;
  }
  return found->first;
}

}  // namespace

Prepared<Prompt> prepare(std::span<const Prompt> rows, const text::TextBundle& text, std::string source,
                         const PreflightOptions& options) {
  return prepare_all<Prompt>(rows, text, std::move(source), options);
}

Prepared<Example> prepare(std::span<const Demonstration> rows, const text::TextBundle& text, std::string source,
                          const PreflightOptions& options) {
  return prepare_all<Example>(rows, text, std::move(source), options);
}

Prepared<Comparison> prepare(std::span<const Preference> rows, const text::TextBundle& text, std::string source,
                             const PreflightOptions& options) {
  return prepare_all<Comparison>(rows, text, std::move(source), options);
}

Prepared<Rating> prepare(std::span<const RatedCompletion> rows, const text::TextBundle& text, std::string source,
                         const PreflightOptions& options) {
  return prepare_all<Rating>(rows, text, std::move(source), options);
}

void require_trainable(const Preflight& report, const PreflightOptions& options) {
  const auto refuse = [&](std::string what, std::string fix) {
    throw Error(
        {.category = Category::bad_data, .where = report.source, .what = std::move(what), .fix = std::move(fix)});
  };
  std::int64_t lost = 0;
  for (const auto& [problem, dropped] : report.dropped) lost += problem == Problem::duplicate ? 0 : dropped.rows;
  if (const auto doubled = report.dropped.find(Problem::doubled_bos); doubled != report.dropped.end()) {
    refuse(std::to_string(doubled->second.rows) +
               " rows begin with two beginning-of-text tokens (first: " + doubled->second.first + ")",
           "The text or the template writes one and the tokenizer adds another: remove it from the rows.");
  }
  if (report.read > 0 && report.kept == 0) {
    refuse("none of the " + std::to_string(report.read) + " rows can be used: " + list_dropped(report),
           advice(commonest(report)));
  }
  if (report.read == 0) refuse("there is no row", "");
  if (lost * 100 > report.read && !options.allow_drops) {
    refuse(std::to_string(lost) + " of " + std::to_string(report.read) +
               " rows would be dropped, more than 1%: " + list_dropped(report),
           advice(commonest(report)) + " Or pass allow_drops.");
  }
}

}  // namespace rlhf::data
