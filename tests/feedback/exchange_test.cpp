#include "rlhf/feedback/exchange/files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "rlhf/core/files.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback::exchange {
namespace {

const Annotator ann{"ann", Source::human}, bob{"bob", Source::human};
const std::chrono::seconds minute(60);

/// Two annotators, a pair, a best-of-three, a rating, something taken back, something revised, something skipped.
struct Labelled {
  ScratchFolder folder;
  double now = 1000.25;
  Store store = Store::open((folder / "a.db").string(), {.now = [this] { return now += 1.5; }});

  Labelled() {
    auto pair = question_of("pair", {"good", "bad"});
    pair.answers = 2;
    pair.shown = {1, 0};
    auto best = question_of("best", {"a", "bb", "ccc"});
    best.split = Split::heldout;
    store.publish({pair, best, question_of("rated", {"fine"})});
    store.publish(Document{.kind = "guideline", .name = "guideline", .version = "1", .text = "Be *kind*."});
    for (const auto& who : {ann, bob}) {
      while (const auto held = store.lease(who, minute)) {
        Answer said =
            held->question.form.name == "rating" ? Answer(Rating{{{0, "rating", 6}}}) : Answer(Comparison{.best = 0});
        said.comment = "line one\nline \"two\", é";
        said.active_seconds = 2.5;
        last = store.answer(*held, said);
      }
    }
    Answer other = Comparison{.best = 1};
    store.revise(bob, last, other);
  }
  std::int64_t last = 0;
};

TEST(Exchange, EventsComeBackToTheByte) {
  Labelled labelled;
  Report report;
  const auto first = events_text(all_events(labelled.store), report);
  const auto file = labelled.folder / "events.jsonl";
  write_file_atomic(file, first);
  const auto copy = (labelled.folder / "copy.db").string();
  replay(read_events(file.string()), copy);
  Report again;
  EXPECT_EQ(events_text(all_events(Store::open(copy)), again), first);
  EXPECT_TRUE(report.left_out.empty());
}

std::vector<Row> written(const Store& store, const std::string& name, Report& report, const Choice& choice = {}) {
  Sheet sheet;
  for (const auto& each : judged(all_events(store), choice, report)) format(name).write(each, sheet);
  report = sheet.report;
  return sheet.rows;
}

TEST(Exchange, PreferencesAsTrlKnowsThem) {
  Labelled labelled;
  Report report;
  const auto rows = written(labelled.store, "trl", report);
  ASSERT_EQ(rows.size(), 4u);  // the pair twice; the best of three is better than each of the others
  EXPECT_EQ(rows[0].value["prompt"], "Say a word:");
  EXPECT_EQ(rows[0].value["chosen"], "good");
  EXPECT_EQ(rows[0].value["rejected"], "bad");
  EXPECT_EQ(rows[1].value["chosen"], "bad");  // as bob revised it
  EXPECT_EQ(rows[2].split, Split::heldout);
}

std::set<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

/// Read from a file, and written again.
std::string through_a_file(const ScratchFolder& folder, const Format& format, const std::string& text) {
  const auto file = folder / ("rows-" + std::string(format.name) + "." + std::string(format.ending));
  write_file_atomic(file, text);
  Report report;
  std::vector<Judged> read;
  EXPECT_NO_THROW(read = read_file(file.string(), format, report)) << format.name;
  EXPECT_TRUE(report.left_out.empty()) << format.name
                                       << (report.examples.empty() ? "" : ": " + report.examples.front());
  Sheet sheet;
  for (const auto& each : read) format.write(each, sheet);
  return file_text(format, sheet.rows);
}

TEST(Exchange, EveryFormatWritesItsRowsAndReadsThemBack) {
  Labelled labelled;
  for (const auto& each : formats()) {
    Report out;
    const auto rows = written(labelled.store, std::string(each.name), out);
    if (rows.empty()) {
      EXPECT_FALSE(out.left_out.empty()) << each.name << " wrote nothing and did not say why";
      continue;
    }
    const auto text = file_text(each, rows);
    if (!each.read) continue;
    // Questions get ids of their own, and rows on one question come together; from then on nothing changes.
    const auto once = through_a_file(labelled.folder, each, text), twice = through_a_file(labelled.folder, each, once);
    EXPECT_EQ(lines_of(once).size(), lines_of(text).size()) << each.name;
    EXPECT_EQ(once, twice) << each.name;
  }
}

/// A chat judged on a form of several parts, by somebody who also had a remark.
Judged judged_in_parts() {
  Judged one;
  one.question = question_of("parts", {"left", "right"});
  one.question.form = builtin_form("webgpt");
  one.question.prompt.messages = {{"system", "Be brief.", {}}, {"user", "Why?", {}}};
  Answer said = Comparison{.best = 1};
  said.details["support"] = Comparison{.best = 0};
  said.details["coherence"] = Comparison{.best = 0, .tie = true};
  said.comment = "hm";
  one.answers.push_back({.question = "parts", .body = said, .annotator = ann});
  return one;
}

TEST(Exchange, ToolsKeepChatsAndEveryPart) {
  const ScratchFolder folder;
  for (const char* name : {"argilla", "label_studio"}) {
    const auto sheet = rows_of(format(name), {judged_in_parts()}, {});
    EXPECT_TRUE(sheet.report.left_out.empty()) << name;
    const auto file = folder / (std::string(name) + ".json");
    write_file_atomic(file, file_text(format(name), sheet.rows));
    Report report;
    const auto read = read_file(file.string(), format(name), report);
    ASSERT_EQ(read.size(), 1u) << name;
    EXPECT_EQ(read[0].question.id, "parts");
    ASSERT_EQ(read[0].question.prompt.messages.size(), 2u) << name;
    EXPECT_EQ(read[0].question.prompt.messages[0].role, "system");
    const auto& said = std::get<Answer>(read[0].answers.at(0).body);
    EXPECT_EQ(said.comment, "hm") << name;
    EXPECT_EQ(std::get<Comparison>(said.said).best, 1) << name;
    EXPECT_EQ(std::get<Comparison>(said.details.at("support")).best, 0) << name;
    EXPECT_TRUE(std::get<Comparison>(said.details.at("coherence")).tie) << name;
  }
}

TEST(Exchange, RowsForTrlAreAllTextsOrAllTurns) {
  auto chat = judged_in_parts(), text = chat;
  text.question.prompt.messages.clear();
  const auto sheet = rows_of(format("trl"), {text, chat}, {});
  ASSERT_EQ(sheet.rows.size(), 2u);
  EXPECT_EQ(sheet.rows[0].value["prompt"][0]["content"], "Say a word:");
  EXPECT_EQ(sheet.rows[0].value["chosen"][0]["role"], "assistant");
  EXPECT_EQ(sheet.report.left_out.size(), 1u);
  EXPECT_TRUE(rows_of(format("trl"), {text}, {}).rows[0].value["prompt"].is_string());
}

TEST(Exchange, PseudonymsAreStableUnderOneKey) {
  EXPECT_EQ(pseudonym("ann", "key"), pseudonym("ann", "key"));
  EXPECT_NE(pseudonym("ann", "key"), pseudonym("ann", "another"));
  EXPECT_NE(pseudonym("ann", "key"), pseudonym("bob", "key"));
  Labelled labelled;
  Report report;
  for (const auto& row : written(labelled.store, "csv", report, {.pseudonym_key = "key"})) {
    EXPECT_EQ(row.value.dump().find("\"ann\""), std::string::npos);
    EXPECT_EQ(row.value.dump().find("\"bob\""), std::string::npos);
  }
}

}  // namespace
}  // namespace rlhf::feedback::exchange
