// Argilla and Label Studio: whatever a form asks for is written, and read back as it was said.
#include <gtest/gtest.h>

#include <algorithm>

#include "rlhf/core/files.h"
#include "rlhf/feedback/exchange/files.h"
#include "rlhf/feedback/record.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback::exchange {
namespace {

/// Something to say about a part, different for different seeds.
Feedback said_of(const Part& part, int items, int seed) {
  switch (part.ask) {
    case Ask::compare: {
      if (part.allow_tie && seed == 2) return Comparison{.tie = true, .both_bad = part.allow_both_bad};
      if (part.allow_incomparable && seed == 1) return Comparison{.incomparable = true};
      const auto levels = static_cast<int>(part.levels.size());
      return Comparison{.best = seed % items, .strength = levels == 0 ? 1.0 : double(1 + seed % levels) / levels};
    }
    case Ask::rank: {
      Ranking ranking;
      for (int i = 0; i < items; ++i) ranking.groups.push_back({(i + seed) % items});
      if (part.allow_tie && seed == 1) ranking.groups = {{1, 0}, {2}};
      return ranking;
    }
    case Ask::rate: {
      Rating rating;
      for (int i = 0; i < std::max(1, items); ++i)
        for (const auto& axis : part.axes)
          rating.values.push_back({i, axis.name, axis.low + axis.step * ((i + seed) % 2)});
      return rating;
    }
    case Ask::judge_rules: {
      RuleJudgement rules;
      for (int i = 0; i < std::max(1, items); ++i)
        for (const auto& rule : part.rules)
          rules.entries.push_back({i, rule.name, part.most > 0 ? Verdict::ok : static_cast<Verdict>((i + seed) % 3)});
      return rules;
    }
    case Ask::judge_evidence: {
      EvidenceJudgement evidence;
      for (int i = 0; i < items; ++i) evidence.entries.push_back({i, Belief::yes, static_cast<Belief>((i + seed) % 3)});
      return evidence;
    }
    case Ask::mark_spans:
      if (seed == 1) return SpanCritique{};
      return SpanCritique{{{.item = 0, .begin = 0, .end = 2, .category = part.categories[0], .remark = ""},
                           {.item = 0, .begin = 1, .end = 4, .category = part.categories[1], .remark = ""}}};
    case Ask::correct:
      return Correction{0, "better, \"ünïcode\"\n" + std::to_string(seed)};
    case Ask::demonstrate:
      return Demonstration{"one two three four five six seven eight"};
    default:
      return Conversation{};
  }
}

bool sayable(const Form& form) {
  return std::none_of(form.parts.begin(), form.parts.end(), [](const Part& part) {
    return part.ask == Ask::converse || part.ask == Ask::signal || part.ask == Ask::judge_hints;
  });
}

/// Two people and a model answer; a third person skips.
Judged answered(const std::string& form_name) {
  Judged judged;
  const auto& form = builtin_form(form_name);
  std::vector<std::string> words = {"good 😀", "bad one", "worse"};
  words.resize(static_cast<std::size_t>(std::clamp(3, form.least_items, form.most_items)), "more");
  judged.question = question_of("q", words);
  judged.question.form = form;
  judged.question.prompt.text.clear();
  judged.question.prompt.messages = {{"system", "Be brief.", {}}, {"user", "Say a word.", {}}};
  std::rotate(judged.question.shown.begin(), judged.question.shown.end() - (words.empty() ? 0 : 1),
              judged.question.shown.end());
  judged.question.split = Split::heldout;
  const std::vector<Annotator> who = {{"ann", Source::human}, {"bob", Source::human}, {"judge", Source::model}};
  for (int seed = 0; seed < 3; ++seed) {
    const auto items = static_cast<int>(words.size());
    Answer answer(said_of(form.parts.front(), items, seed));
    for (std::size_t i = 1; i < form.parts.size(); ++i)
      answer.details.emplace(form.parts[i].name, said_of(form.parts[i], items, seed));
    answer.comment = seed == 0 ? "a \"remark\", é" : "";
    if (seed == 1) answer.confidence = 0.25, answer.flags = {"unsafe", "broken"};
    validate(answer, judged.question);
    judged.answers.push_back(
        {.question = "q", .body = answer, .annotator = who[static_cast<std::size_t>(seed)], .answered_at = 5});
  }
  judged.answers.push_back({.question = "q", .body = Answer(Skip{"?"}), .annotator = {"eve", Source::human}});
  return judged;
}

Judged read_back(const Format& format, const Judged& judged, Sheet& sheet, std::string& again) {
  ScratchFolder folder;
  format.write(judged, sheet);
  const auto file = (folder / "rows.json").string();
  const auto text = file_text(format, sheet.rows);
  write_file_atomic(file, text);
  Report report;
  const auto read = read_file(file, format, report);
  EXPECT_TRUE(report.left_out.empty()) << report.examples.front();
  EXPECT_EQ(read.size(), 1u);
  Sheet second;
  format.write(read.at(0), second);
  again = file_text(format, second.rows);
  EXPECT_EQ(nlohmann::json::parse(again), nlohmann::json::parse(text));  // kept columns come in the order of names
  return read.at(0);
}

TEST(ExchangeTools, EveryFormComesBackAsItWasSaid) {
  int forms = 0;
  for (const auto& [name, form] : builtin_forms()) {
    if (!sayable(form) || form.media == Media::clip) continue;
    ++forms;
    for (const char* tool : {"argilla", "label_studio"}) {
      SCOPED_TRACE(name + " in " + tool);
      const auto judged = answered(name);
      Sheet sheet;
      std::string again;
      const auto back = read_back(format(tool), judged, sheet, again);
      EXPECT_EQ(sheet.report.left_out,
                (std::map<std::string, std::int64_t>{{"reasons of skips (the skips were written)", 1}}));
      EXPECT_EQ(prompt_json(back.question.prompt), prompt_json(judged.question.prompt));
      EXPECT_EQ(back.question.shown, judged.question.shown);
      EXPECT_EQ(back.question.split, Split::heldout);
      ASSERT_EQ(back.answers.size(), 4u);
      for (const auto& before : judged.answers) {
        const auto after = std::find_if(back.answers.begin(), back.answers.end(), [&](const Event& each) {
          return each.annotator.name == before.annotator.name;
        });
        ASSERT_NE(after, back.answers.end()) << before.annotator.name;
        EXPECT_EQ(after->annotator.source, before.annotator.source);
        const auto& said = std::get<Answer>(before.body);
        if (std::holds_alternative<Skip>(said.said))
          EXPECT_TRUE(std::holds_alternative<Skip>(std::get<Answer>(after->body).said));
        else
          EXPECT_EQ(to_json(std::get<Answer>(after->body)), to_json(said));
      }
    }
  }
  EXPECT_GE(forms, 15);
}

TEST(ExchangeTools, ArgillaRecordByHand) {
  Sheet sheet;
  format("argilla").write(answered("instructgpt"), sheet);
  const nlohmann::json record = sheet.rows.at(0).value;  // whatever the order of keys
  EXPECT_EQ(record["fields"]["prompt"][1], (nlohmann::json{{"role", "user"}, {"content", "Say a word."}}));
  const nlohmann::json ties = {{{"value", "response_1"}, {"rank", 1}},
                               {{"value", "response_0"}, {"rank", 1}},
                               {{"value", "response_2"}, {"rank", 2}}};
  EXPECT_EQ(record["responses"]["order"][1]["value"], ties);
  EXPECT_EQ(record["responses"]["quality_2"][0]["value"], 1);
  EXPECT_EQ(record["responses"]["problems_0_wrong_task"][1]["value"], "breach");
  EXPECT_EQ(record["responses"]["order"][2],
            (nlohmann::json{
                {"value", nullptr}, {"user_id", record["responses"]["order"][2]["user_id"]}, {"status", "discarded"}}));
  EXPECT_EQ(record["suggestions"]["order"]["agent"], "judge");
}

TEST(ExchangeTools, LabelStudioTaskByHand) {
  Sheet sheet;
  format("label_studio").write(answered("instructgpt"), sheet);
  const auto& task = sheet.rows.at(0).value;
  const auto& strict = task["annotations"][0]["result"][0];
  EXPECT_EQ(strict["value"], (Json{{"ranker", {{"order", {"response_0", "response_1", "response_2"}}}}}));
  EXPECT_EQ(task["annotations"][1]["result"][0]["value"],
            (Json{{"ranker", {{"1", {"response_1", "response_0"}}, {"2", Json::array({"response_2"})}}}}));
  EXPECT_EQ(task["annotations"][2]["was_cancelled"], true);
  EXPECT_EQ(task["predictions"][0]["model_version"], "judge");
}

TEST(ExchangeTools, WhatHasNoPlaceIsCounted) {
  auto judged = answered("critique");
  auto& first = std::get<Answer>(judged.answers[0].body);
  std::get<SpanCritique>(first.said).spans[0].remark = "why";
  first.active_seconds = 3;
  judged.question.items[0].quotes = {{"title", "text"}};
  Sheet argilla, studio;
  format("argilla").write(judged, argilla);
  EXPECT_EQ(argilla.report.left_out["remarks on spans (the spans were written)"], 1);
  EXPECT_EQ(argilla.report.left_out["times of work (the answers were written)"], 1);
  EXPECT_EQ(argilla.report.left_out["quotes (the rest was written)"], 1);
  std::string again;
  const auto back = read_back(format("label_studio"), judged, studio, again);
  EXPECT_EQ(std::get<SpanCritique>(std::get<Answer>(back.answers[0].body).said).spans[0].remark, "why");
  EXPECT_EQ(back.question.items[0].quotes.at(0).text, "text");

  Judged talk;
  talk.question = question_of("talk", {});
  talk.question.form = builtin_form("conversation");
  talk.answers.push_back({.body = Answer(Conversation{}), .annotator = {"ann", Source::human}});
  Sheet sheet;
  format("label_studio").write(talk, sheet);
  EXPECT_EQ(sheet.report.left_out["conversations (see the format events)"], 1);
}

TEST(ExchangeTools, QuestionsTheFormDoesNotHaveAreCounted) {
  ScratchFolder folder;
  const auto file = (folder / "rows.json").string();
  const std::string user = "00000000-0000-8000-a000-000000000000";
  write_file_atomic(file, R"([{"fields": {"prompt": "p", "response_0": "a", "response_1": "b"}, "responses": {
      "mood": [{"value": "fine", "user_id": ")" +
                              user + R"("}],
      "better": [{"value": "response_1", "user_id": ")" +
                              user + R"("}]}},
    {"fields": {"prompt": "q", "response_0": "a"}, "responses": {"stars": [{"value": 6, "user_id": ")" +
                              user + R"("}]}}])");
  Report report;
  const auto read = read_file(file, format("argilla"), report);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].answers[0].annotator.name, user);
  EXPECT_EQ(std::get<Comparison>(std::get<Answer>(read[0].answers[0].body).said).best, 1);
  EXPECT_EQ(std::get<Rating>(std::get<Answer>(read[1].answers[0].body).said).values[0].value, 6);  // the only question
  EXPECT_EQ(report.left_out["responses to questions that the form does not have"], 1);
}

TEST(ExchangeChoice, SourcesSidesPoliciesAndTies) {
  std::vector<Event> events;
  const auto add = [&](Event event) {
    event.sequence = static_cast<std::int64_t>(events.size()) + 1, events.push_back(event);
  };
  for (const auto& [id, split, policy] :
       {std::tuple{"a", Split::train, 1}, {"b", Split::heldout, 1}, {"c", Split::train, 9}}) {
    auto question = question_of(id, {"x", "y"});
    question.split = split;
    for (auto& item : question.items) item.policy_version = policy;
    add({.question = id, .body = question});
    add({.question = id, .body = Answer(Comparison{.best = 0}), .annotator = {"ann", Source::human}});
    add({.question = id, .body = Answer(Comparison{.tie = true}), .annotator = {"judge", Source::model}});
  }
  const auto count = [&](const Choice& choice, std::int64_t out) {
    Report report;
    std::size_t answers = 0;
    for (const auto& each : judged(events, choice, report)) answers += each.answers.size();
    std::int64_t left = 0;
    for (const auto& [reason, n] : report.left_out) left += n;
    EXPECT_EQ(left, out);
    return answers;
  };
  EXPECT_EQ(count({}, 0), 6u);
  EXPECT_EQ(count({.sources = {Source::human}}, 3), 3u);
  EXPECT_EQ(count({.split = Split::heldout}, 2), 2u);  // two questions
  EXPECT_EQ(count({.newest_policy = 5}, 1), 4u);
  EXPECT_EQ(count({.oldest_policy = 5}, 2), 2u);
  EXPECT_EQ(count({.ties = false}, 3), 3u);
}

TEST(Exchange, EventsTellOfRedactions) {
  ScratchFolder folder;
  auto store = Store::open((folder / "a.db").string());
  store.publish(question_of("q", {"x", "y"}));
  const Annotator ann{"ann", Source::human};
  store.answer(*store.lease(ann, std::chrono::seconds(60)), Comparison{.best = 0});
  store.erase("ann", "asked for it");
  Report report;
  const auto text = events_text(all_events(store), report);
  EXPECT_NE(text.find("asked for it"), std::string::npos);
  EXPECT_TRUE(report.left_out.empty());
  const auto file = folder / "events.jsonl";
  write_file_atomic(file, text);
  const auto read = read_events(file.string());
  EXPECT_EQ(std::get<Redaction>(read.back().body).events, 1);
  replay(read, (folder / "b.db").string());
  EXPECT_EQ(Store::open((folder / "b.db").string()).counts().answers, 0);
}

}  // namespace
}  // namespace rlhf::feedback::exchange
