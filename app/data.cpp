#include <fmt/format.h>

#include <iostream>
#include <limits>
#include <optional>
#include <random>

#include "app/commands.h"
#include "app/flags.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/feedback/exchange/files.h"
#include "rlhf/feedback/record.h"

namespace rlhf::app {
namespace {

using namespace feedback::exchange;

struct DataSettings {
  std::string in, output, store, form = "trl", to = "trl", project = "default", pseudonym_key;
  std::vector<std::string> annotators, sources, guidelines;
  std::string split;
  std::int64_t oldest_policy = 0, newest_policy = std::numeric_limits<std::int64_t>::max();
  bool anonymous = false, consensus = false, split_column = false, tests = false, ties = true;

  void fields(Fields& f) {
    f.field("in", in, "file to read");
    f.field("form", form, "format of the file that is read");
    f.field("to", to, "format of the file that is written");
    f.field("output", output, "file to write; rows kept for testing go to NAME.heldout.ENDING");
    f.field("store", store, "feedback store");
    f.field("project", project, "project of the store");
    f.field("anonymous", anonymous, "annotators get pseudonyms");
    f.field("pseudonym_key", pseudonym_key,
            "a secret: the same one gives the same pseudonyms; empty = a new one for this file");
    f.field("consensus", consensus, "one answer a question: what most chose");
    f.field("annotators", annotators, "only answers of these annotators; empty = all");
    f.field("sources", sources, "only answers of these sources: human, model, simulated; empty = all");
    f.field("guidelines", guidelines, "only answers under these versions of the guideline; empty = all");
    f.field("split", split, "only this side: train or heldout; empty = both");
    f.field("oldest_policy", oldest_policy, "only questions whose items are of this policy version or a later one");
    f.field("newest_policy", newest_policy, "only questions whose items are of this policy version or an earlier one");
    f.field("ties", ties, "also comparisons that are ties, where the format has them");
    f.field("tests", tests, "also test questions and qualification rounds");
    f.field("split_column", split_column, "one file with a column \"split\" instead of two files");
  }
};

std::string random_key() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

void tell(const Report& report, std::string_view done, const std::string& where) {
  std::cerr << fmt::format("{}: {} rows {}\n", where, report.rows, done);
  for (const auto& [reason, count] : report.left_out) std::cerr << fmt::format("  left out {}: {}\n", count, reason);
  for (const auto& example : report.examples) std::cerr << "  " << example << "\n";
}

std::optional<feedback::Split> side(const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const auto split : {feedback::Split::train, feedback::Split::heldout})
    if (name == feedback::split_name(split)) return split;
  throw Error({.category = Category::usage,
               .where = "split " + name,
               .what = "there is no such side of the split",
               .fix = "There are: train, heldout."});
}

feedback::exchange::Choice choice_of(const DataSettings& settings) {
  feedback::exchange::Choice choice{.annotators = settings.annotators,
                                    .guidelines = settings.guidelines,
                                    .sources = {},
                                    .split = side(settings.split),
                                    .oldest_policy = settings.oldest_policy,
                                    .newest_policy = settings.newest_policy,
                                    .ties = settings.ties,
                                    .tests = settings.tests,
                                    .consensus = settings.consensus,
                                    .pseudonym_key = ""};
  for (const auto& name : settings.sources) choice.sources.push_back(feedback::source_from_name(name, "--sources"));
  if (settings.anonymous) choice.pseudonym_key = settings.pseudonym_key.empty() ? random_key() : settings.pseudonym_key;
  return choice;
}

void write(const std::vector<Judged>& judged, const DataSettings& settings, Report report) {
  const auto& chosen = format(settings.to);
  const auto sheet = rows_of(chosen, judged, std::move(report));
  std::vector<Row> train, heldout;
  for (const auto& row : sheet.rows)
    (row.split == feedback::Split::train || settings.split_column ? train : heldout).push_back(row);
  write_file_atomic(settings.output, file_text(chosen, train, settings.split_column));
  if (!heldout.empty()) {
    std::filesystem::path second = settings.output;
    second.replace_filename(second.stem().string() + ".heldout" + second.extension().string());
    write_file_atomic(second, file_text(chosen, heldout));
  }
  tell(sheet.report, "written", settings.output);
}

int convert(const Invocation& call) {
  DataSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf data convert IN --form FORMAT --to FORMAT --output OUT",
           .description = "Rewrites a file of comparisons in another tool's format and counts what does not fit.",
           .positional = {"in"}},
          settings))
    return 0;
  require_given("output", settings.output, "rlhf data convert pairs.jsonl --form hh_rlhf --to trl --output trl.jsonl");
  Report report;
  const auto judged = read_file(settings.in, format(settings.form), report);
  write(judged, settings, report);
  return 0;
}

int export_data(const Invocation& call) {
  DataSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf data export --store STORE --to FORMAT --output OUT",
           .description =
               "Writes what a store holds as a file of another tool. `events` is the whole log, without loss.",
           .positional = {}},
          settings))
    return 0;
  require_given("store", settings.store, "rlhf data export --store feedback.db --to trl --output pairs.jsonl");
  require_given("output", settings.output, "rlhf data export --store feedback.db --to trl --output pairs.jsonl");
  const auto store = feedback::Store::open(settings.store, {.project = settings.project, .read_only = true});
  const auto events = all_events(store);
  Report report;
  if (settings.to == "events") {
    write_file_atomic(settings.output, events_text(events, report));
    tell(report, "written", settings.output);
    return 0;
  }
  const auto found = judged(events, choice_of(settings), report);
  write(found, settings, report);
  return 0;
}

void count_events(const std::vector<feedback::Event>& events, Report& report) {
  for (const auto& each : events)
    if (std::holds_alternative<feedback::Redaction>(each.body))
      report.leave_out("redactions: what they removed is not in the file");
    else
      ++report.rows;
}

int import_data(const Invocation& call) {
  DataSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf data import FILE --store STORE --form FORMAT",
           .description = "Questions and answers of a file go into a store, under the names of the file's annotators.",
           .positional = {"in"}},
          settings))
    return 0;
  require_given("store", settings.store, "rlhf data import pairs.jsonl --store feedback.db --form hh_rlhf");
  Report report;
  const auto events = settings.form == "events" ? read_events(settings.in)
                                                : events_of(read_file(settings.in, format(settings.form), report));
  replay(events, settings.store, {.project = settings.project});
  if (settings.form == "events") count_events(events, report);
  tell(report, "read", settings.in);
  return 0;
}

}  // namespace

int data(const Invocation& call) {
  static constexpr Command subjects[] = {{"convert", "one format into another", convert},
                                         {"export", "a store as a file of another tool", export_data},
                                         {"import", "a file of another tool into a store", import_data}};
  if (call.arguments.empty() || call.arguments[0] == "--help" || call.arguments[0] == "-h") {
    std::cout << "usage: rlhf data convert|export|import ...\n\n"
              << list_commands(subjects) << "\nformats:\n  events           the whole log, without loss\n";
    for (const auto& each : formats()) std::cout << fmt::format("  {:<16} {}\n", each.name, each.what);
    return 0;
  }
  return find_command(subjects, call.arguments[0], "subject of data").run(call.without_first());
}

}  // namespace rlhf::app
