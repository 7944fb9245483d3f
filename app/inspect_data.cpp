#include "app/inspect_data.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/flags.h"
#include "app/inspect.h"
#include "rlhf/core/error.h"
#include "rlhf/data/preflight.h"
#include "rlhf/data/readers/rows.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

struct InspectDataSettings {
  std::string data;
  std::string model;
  std::string format;
  std::int64_t limit = 0;
  int rows = 3;
  std::int64_t max_tokens = 0;
  bool allow_drops = false;
  bool allow_no_stop = false;

  void fields(Fields& f) {
    f.field("data", data, "JSONL file (also .gz), or a .json list; - is standard input");
    f.field("model", model, "folder, GGUF file, run or name of a model: its tokenizer and chat template are used");
    f.field("format", format, "what the rows are; empty: by their columns");
    f.field("limit", limit, "rows to read; 0 = all");
    f.field("rows", rows, "rows to print token by token");
    f.field("max_tokens", max_tokens, "longest row that will be used; 0 = no limit");
    f.field("allow_drops", allow_drops, "accept that more than 1% of the rows are dropped");
    f.field("allow_no_stop", allow_no_stop, "accept that nothing teaches the model to stop");
  }
};

/// Every shape, the more specific ones first.
const std::vector<data::RowShape>& every_shape() {
  using enum data::RowShape;
  static const std::vector<data::RowShape> all = {query_compare, query_best_of_n, query_rating, best_of_n, rating,
                                                  preference,    prompt_completion, messages,   prompt,    text};
  return all;
}

data::RowShape shape_of(const InspectDataSettings& settings) {
  if (!settings.format.empty()) return data::parse_shape(settings.format);
  if (settings.data == "-") {
    throw Error({.category = Category::usage, .where = "format", .what = "standard input can be read only once, so its shape must be given",
                 .fix = "For example --format preference."});
  }
  auto reader = data::JsonlReader::open(settings.data);
  const auto first = reader.next();
  if (first) return data::sniff(*first, every_shape());
  throw Error({.category = Category::bad_data, .where = settings.data, .what = "there is no row in it", .fix = ""});
}

data::Preflight look(const InspectDataSettings& settings, data::RowShape shape, const text::TextBundle& text, const data::PreflightOptions& options) {
  const data::ReadOptions read{.format = shape, .limit = settings.limit};
  switch (shape) {
    case data::RowShape::prompt:
      return data::prepare(data::read_prompts(settings.data, read), text, settings.data, options).report;
    case data::RowShape::text:
    case data::RowShape::messages:
    case data::RowShape::prompt_completion:
      return data::prepare(data::read_demonstrations(settings.data, read), text, settings.data, options).report;
    case data::RowShape::rating:
    case data::RowShape::query_rating:
      return data::prepare(data::read_ratings(settings.data, read), text, settings.data, options).report;
    default:
      return data::prepare(data::read_preferences(settings.data, read), text, settings.data, options).report;
  }
}

/// Tokens that carry loss are green, or in brackets where there are no colours.
void print_row(const data::ShownRow& row, const text::TextBundle& text, bool colours) {
  std::cout << row.where << ":\n  ";
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    const auto id = row.ids[i];
    const auto shown = text.tokenizer.is_special(id) ? text.tokenizer.token(id) : visible(text.tokenizer.token_bytes(id));
    const bool first = row.mask[i] && (i == 0 || !row.mask[i - 1]), last = row.mask[i] && (i + 1 == row.ids.size() || !row.mask[i + 1]);
    if (first) std::cout << (colours ? "\033[32m" : "[");
    std::cout << shown;
    if (last) std::cout << (colours ? "\033[0m" : "]");
    if (last && text.is_stop(id)) std::cout << " <- stop, learnt";
  }
  std::cout << "\n";
}

void print_lengths(const data::LengthHistogram& lengths) {
  std::cout << fmt::format("tokens a row: smallest {}, median {}, 95% {}, largest {}\n", lengths.smallest, lengths.median, lengths.p95, lengths.largest);
  const auto most = lengths.bins.empty() ? 0 : *std::max_element(lengths.bins.begin(), lengths.bins.end());
  for (std::size_t i = 0; i < lengths.bins.size(); ++i) {
    if (lengths.bins[i] == 0) continue;
    const auto bar = std::string(static_cast<std::size_t>(40 * lengths.bins[i] / most), '#');
    std::cout << fmt::format("  {:>6} - {:<6} {:>7}  {}\n", std::int64_t{1} << i, (std::int64_t{2} << i) - 1, lengths.bins[i], bar);
  }
}

void print(const data::Preflight& report, data::RowShape shape, const text::TextBundle& text) {
  const bool colours = ::isatty(STDOUT_FILENO) && (std::getenv("NO_COLOR") == nullptr || *std::getenv("NO_COLOR") == '\0');
  const auto percent = [](std::int64_t part, std::int64_t whole) { return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole); };
  std::cout << fmt::format("{}: {} rows, {} read, {} kept\n", report.source, data::shape_name(shape), report.read, report.kept);
  for (const auto& [problem, dropped] : report.dropped) {
    std::cout << fmt::format("  dropped {:>7}  {:<20} first: {}\n", dropped.rows, data::problem_name(problem), dropped.first);
  }
  print_lengths(report.lengths);
  if (shape != data::RowShape::prompt) {
    std::cout << fmt::format("{} tokens, {:.1f}% carry loss\n", report.tokens, percent(report.supervised, report.tokens));
    std::cout << fmt::format("{} of {} rows end with a stop token that is learnt\n", report.stopped, report.kept);
    std::cout << fmt::format("{} rows would have other tokens where prompt and completion meet, if encoded in one piece\n", report.merged);
  }
  for (const auto& row : report.shown) {
    std::cout << '\n';
    print_row(row, text, colours);
  }
}

}  // namespace

int inspect_data(const Invocation& call) {
  InspectDataSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf inspect data FILE --model M",
                            .description = "What the rows are, what would be dropped and why, how long they are, and which tokens carry loss.\n"
                                           "Fails (exit code 3) when the set could not be trained on.",
                            .positional = {"data"}},
                     settings)) return 0;
  require_given("data", settings.data, "rlhf inspect data rows.jsonl --model smollm2-135m");
  require_given("model", settings.model, "rlhf inspect data rows.jsonl --model smollm2-135m");
  const auto shape = shape_of(settings);
  const auto text = models::load_model(settings.model).text;
  const data::PreflightOptions options{.encode = {.max_tokens = settings.max_tokens},
                                       .allow_drops = settings.allow_drops,
                                       .allow_no_stop = settings.allow_no_stop,
                                       .show = settings.rows};
  const auto report = look(settings, shape, text, options);
  if (call.json) {
    auto record = data::to_json(report);
    record["format"] = data::shape_name(shape);
    std::cout << record.dump() << '\n';
  } else {
    print(report, shape, text);
  }
  data::require_trainable(report, options);
  return 0;
}

}  // namespace rlhf::app
