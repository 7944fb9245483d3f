#include "rlhf/data/preflight.h"

#include <gtest/gtest.h>

#include "rlhf/data/readers/rows.h"
#include "tests/core/scratch_folder.h"
#include "tests/data/tiny_text.h"

namespace rlhf::data {
namespace {

std::string rows(int good) {
  std::string text;
  for (int i = 0; i < good; ++i)
    text += R"({"prompt": "The sky is", "completion": " blue )" + std::to_string(i) + "\"}\n";
  return text;
}

Prepared<Example> prepared(const std::string& text, const PreflightOptions& options = {},
                           const text::TextBundle& bundle = tiny_text()) {
  auto reader = JsonlReader::from_text(text, "f.jsonl");
  return prepare(read_demonstrations(reader), bundle, "f.jsonl", options);
}

TEST(Preflight, CountsWhatIsLearntAndWhatIsDropped) {
  const auto out = prepared(rows(3) +
                            "{\"prompt\": \"The sky is\", \"completion\": \"\"}\n{\"prompt\": \"The sky is\", "
                            "\"completion\": \" blue 1\"}\n");
  EXPECT_EQ(out.report.read, 5);
  EXPECT_EQ(out.report.kept, 3);
  EXPECT_EQ(out.report.stopped, 3);
  EXPECT_EQ(out.rows.size(), 3u);
  EXPECT_EQ(out.where.at(2), "f.jsonl:3");
  EXPECT_EQ(out.report.dropped.at(Problem::empty_completion).rows, 1);
  EXPECT_EQ(out.report.dropped.at(Problem::empty_completion).first, "f.jsonl:4");
  EXPECT_EQ(out.report.dropped.at(Problem::duplicate).first, "f.jsonl:5");
  std::int64_t tokens = 0, learnt = 0;
  for (const auto& row : out.rows) {
    tokens += static_cast<std::int64_t>(row.ids.size());
    learnt += std::count(row.mask.begin(), row.mask.end(), 1);
  }
  EXPECT_EQ(out.report.tokens, tokens);
  EXPECT_EQ(out.report.supervised, learnt);
  EXPECT_EQ(out.report.lengths.total, tokens);
  ASSERT_EQ(out.report.shown.size(), 3u);
  EXPECT_EQ(learnt_text(tiny_text(), out.report.shown[0].ids, out.report.shown[0].mask), " blue 0<|im_end|>");
  EXPECT_EQ(to_json(out.report)["dropped"]["duplicate"]["rows"], 1);
}

TEST(Preflight, LengthsWorkedByHand) {
  const std::vector<std::int64_t> lengths = {1, 2, 3, 4, 7, 8, 100};
  const auto made = length_histogram(lengths);
  EXPECT_EQ(made.smallest, 1);
  EXPECT_EQ(made.median, 4);
  EXPECT_EQ(made.largest, 100);
  EXPECT_EQ(made.total, 125);
  EXPECT_EQ(made.bins, (std::vector<std::int64_t>{1, 2, 2, 1, 0, 0, 1}));  // 1 | 2 3 | 4 7 | 8 | | | 100
}

TEST(Preflight, OneDroppedRowInAHundredIsFineTwoAreNot) {
  const std::string bad = "{\"prompt\": \"The sky is\", \"completion\": \"\"}\n";
  require_trainable(prepared(rows(99) + bad).report);
  const auto report = prepared(rows(98) + bad + bad).report;
  EXPECT_EQ(error_of([&] { require_trainable(report); }).what(),
            std::string("f.jsonl: 2 of 100 rows would be dropped, more than 1%: 2 empty_completion (first: "
                        "f.jsonl:99). Correct the rows. Or pass allow_drops."));
  require_trainable(report, {.encode = {}, .allow_drops = true});
}

TEST(Preflight, CopiesDoNotCountAsLoss) { require_trainable(prepared(rows(3) + rows(3)).report); }

TEST(Preflight, ASetThatTeachesNoStopIsRefused) {
  const auto no_end = tiny_text(
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% "
      "endif %}");
  const std::string row =
      R"({"messages": [{"role": "user", "content": "Sky?"}, {"role": "assistant", "content": "blue"}]})";
  const auto refused = prepared(row, {}, no_end).report;
  const auto error = error_of([&] { require_trainable(refused); });
  EXPECT_EQ(error.category(), Category::bad_data);
  EXPECT_EQ(error.problem(), "none of the 1 rows can be used: 1 missing_stop (first: f.jsonl:1)");
  EXPECT_EQ(error.fix(),
            "The chat template does not end an assistant turn with a stop token: correct the template or the stop ids, "
            "or pass allow_no_stop.");
  const auto allowed = prepared(row, {.encode = {}, .allow_drops = false, .allow_no_stop = true}, no_end).report;
  require_trainable(allowed);
  EXPECT_EQ(allowed.stopped, 0);
}

TEST(Preflight, ADoubledBeginningIsRefused) {
  const auto error = error_of(
      [&] { prepared(rows(200) + "{\"prompt\": \"<|im_start|><|im_start|>user\", \"completion\": \" blue\"}\n"); });
  EXPECT_NE(std::string(error.what()).find("f.jsonl:201"), std::string::npos);
  EXPECT_NE(std::string(error.what()).find("two BOS"), std::string::npos);
}

TEST(Preflight, ComparisonsMayBeCutOff) {
  auto reader = JsonlReader::from_text(R"({"query": [5, 6], "sample0": [7], "sample1": [8], "best": 0})", "f.jsonl");
  const auto out = prepare(read_preferences(reader), tiny_text(), "f.jsonl");
  require_trainable(out.report);
  EXPECT_EQ(out.report.kept, 1);
  EXPECT_EQ(out.report.stopped, 0);
  EXPECT_EQ(out.report.supervised, 2);
}

TEST(Preflight, OppositeJudgementsAreNoCopies) {
  auto reader = JsonlReader::from_text(
      "{\"prompt\": \"a\", \"completions\": [\"b\", \"c\"], \"best\": 0}\n{\"prompt\": \"a\", \"completions\": [\"b\", "
      "\"c\"], \"best\": 1}",
      "f.jsonl");
  EXPECT_EQ(prepare(read_preferences(reader), tiny_text(), "f.jsonl").report.kept, 2);
}

}  // namespace
}  // namespace rlhf::data
