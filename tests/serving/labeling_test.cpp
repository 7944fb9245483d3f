#include "rlhf/serving/labeling.h"

#include <gtest/gtest.h>

#include "rlhf/core/error.h"
#include "rlhf/serving/owner.h"
#include "rlhf/serving/qualification.h"
#include "rlhf/serving/question_view.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;

/// The routes as the server calls them, without a socket.
struct Pages {
  ScratchFolder folder;
  double now = 1000;
  feedback::Store store = feedback::Store::open((folder / "feedback.db").string(), {.now = [this] { return now; }});
  LabelingOptions options;
  Router router;

  void open() {
    options.now = [this] { return now; };
    Labeling(store, options).add_routes(router);
    Owner(store, {}).add_routes(router);
  }

  Response call(const std::string& method, const std::string& path, const json& body, const std::string& name) {
    Request request;
    request.method = method;
    const auto mark = path.find('?');
    request.path = path.substr(0, mark);
    if (mark != path.npos)
      request.query[path.substr(mark + 1, path.find('=') - mark - 1)] = path.substr(path.find('=') + 1);
    request.body = body.dump();
    request.headers.set("Content-Type", "application/json");
    request.session = Principal{.name = name, .role = Role::owner};
    const auto match = router.match(request);
    return match.route ? Router::run(*match.route, request) : match.refusal;
  }
  json get(const std::string& path, const std::string& name = "ann") {
    return json::parse(call("GET", path, {}, name).body);
  }
  json post(const std::string& path, const json& body, const std::string& name = "ann") {
    return json::parse(call("POST", path, body, name).body);
  }
};

json pick(int place) { return {{"said", {{"kind", "comparison"}, {"best", place}}}}; }

TEST(Labeling, WhatIsOnTheScreenIsWhatIsMeant) {
  Pages pages;
  pages.open();
  auto question = feedback::question_of("q", {"first made", "second made", "third made"});
  question.shown = {2, 0, 1};
  pages.store.publish(question);
  const auto assignment = pages.get("/api/next")["assignments"][0];
  EXPECT_EQ(assignment["question"]["items"][0]["text"], "third made");
  pages.post("/api/answer", {{"assignment", assignment["id"]}, {"answer", pick(0)}});
  const auto stored = pages.store.answers_to("q").at(0);
  EXPECT_EQ(std::get<feedback::Comparison>(std::get<feedback::Answer>(stored.body).said).best, 2);
  // And back: the history shows it as it was shown.
  EXPECT_EQ(pages.get("/api/history")["entries"][0]["answer"]["said"]["best"], 0);
}

TEST(Labeling, EveryKindOfAnswerGoesThereAndBack) {
  auto question = feedback::question_of("q", {"aaaa", "bbbb", "cccc"});
  question.shown = {1, 2, 0};
  question.form = feedback::builtin_form("instructgpt");
  feedback::Answer answer = feedback::Ranking{{{2}, {0, 1}}};
  feedback::Rating quality;
  for (int item = 0; item < 3; ++item) quality.values.push_back({item, "quality", 2.0 + item});
  answer.details["quality"] = quality;
  answer.details["problems"] = feedback::RuleJudgement{{{1, "tone", feedback::Verdict::breach}}};
  const auto back = answer_from_view(answer_view(answer, question), question);
  EXPECT_EQ(std::get<feedback::Ranking>(back.said).groups, (std::vector<std::vector<int>>{{2}, {0, 1}}));
  EXPECT_EQ(std::get<feedback::RuleJudgement>(back.details.at("problems")).entries.at(0).item, 1);
  const auto view = answer_view(answer, question);
  EXPECT_EQ(view["said"]["groups"][0][0], 1);  // item 2 stands at place 1
  EXPECT_THROW(answer_from_view({{"said", {{"kind", "ranking"}, {"groups", {{0}, {3}, {1}}}}}}, question), Error);
}

TEST(Labeling, WhereThePageAsksForTheWorseOneTheBetterOneIsStored) {
  auto question = feedback::question_of("q", {"made first", "made second"});
  question.form = feedback::builtin_form("more_harmful");
  question.shown = {1, 0};
  const json said = {{"kind", "comparison"}, {"best", 0}, {"strength", 0.5}};  // on the screen, the first is the more harmful
  const auto stored = answer_from_view({{"said", said}}, question);
  EXPECT_EQ(std::get<feedback::Comparison>(stored.said).best, 0);  // shown first is item 1; the better one is item 0
  EXPECT_EQ(answer_view(stored, question)["said"]["best"], 0);
  question.shown = {0, 1};
  EXPECT_EQ(std::get<feedback::Comparison>(answer_from_view({{"said", said}}, question).said).best, 1);
}

TEST(Labeling, NothingTellsWhatIsKnownOrWhoMadeIt) {
  auto question = feedback::question_of("q", {"a", "b"});
  question.gold = std::make_shared<const feedback::Answer>(feedback::Comparison{.best = 1});
  question.metadata = {{"model", "secret-model"}};
  question.explanation = "because";
  const auto view = view_of(question).dump();
  for (const auto* hidden : {"gold", "secret-model", "because", "policy_version", "split"})
    EXPECT_EQ(view.find(hidden), view.npos) << hidden;
}

TEST(Labeling, AReloadFindsTheSameQuestionAndARepeatIsOneAnswer) {
  Pages pages;
  pages.open();
  pages.store.publish(feedback::questions_of(3));
  const auto first = pages.get("/api/next")["assignments"][0];
  EXPECT_EQ(pages.get("/api/next")["assignments"][0]["id"], first["id"]);
  const json body = {{"assignment", first["id"]}, {"answer", pick(1)}};
  const auto sequence = pages.post("/api/answer", body)["sequence"];
  EXPECT_EQ(pages.post("/api/answer", body)["sequence"], sequence);
  EXPECT_EQ(pages.store.counts().answers, 1);
  EXPECT_EQ(pages.post("/api/answer", body)["progress"]["mine"], 1);
}

TEST(Labeling, UndoBringsTheQuestionBack) {
  Pages pages;
  pages.open();
  pages.store.publish(feedback::questions_of(2));
  const auto first = pages.get("/api/next")["assignments"][0];
  const auto sequence = pages.post("/api/answer", {{"assignment", first["id"]}, {"answer", pick(1)}})["sequence"];
  const auto undone = pages.post("/api/undo", {{"sequence", sequence}});
  EXPECT_EQ(undone["assignment"]["question"]["id"], "q0");
  EXPECT_EQ(pages.store.counts().answers, 0);
  EXPECT_EQ(pages.call("POST", "/api/undo", {{"sequence", sequence}}, "bob").status, 409);  // only one's own
}

TEST(Labeling, AnotherAnnotatorsLeaseCannotBeUsed) {
  Pages pages;
  pages.open();
  pages.store.publish(feedback::questions_of(1));
  const auto first = pages.get("/api/next")["assignments"][0];
  EXPECT_EQ(pages.call("POST", "/api/answer", {{"assignment", first["id"]}, {"answer", pick(0)}}, "eve").status, 409);
  EXPECT_EQ(pages.store.counts().answers, 0);
}

TEST(Labeling, BadAnswersSayWhatIsWrong) {
  Pages pages;
  pages.open();
  pages.store.publish(feedback::questions_of(1));
  const auto first = pages.get("/api/next")["assignments"][0];
  const auto refused = [&](const json& body) { return pages.call("POST", "/api/answer", body, "ann"); };
  EXPECT_EQ(refused({{"answer", pick(0)}}).status, 400);
  const auto beyond = refused({{"assignment", first["id"]}, {"answer", pick(7)}});
  EXPECT_EQ(beyond.status, 400);
  EXPECT_EQ(json::parse(beyond.body)["error"]["what"], "it names item 7; the question shows 2, counted from 0");
  EXPECT_EQ(refused({{"assignment", first["id"]}, {"answer", {{"said", {{"kind", "shrug"}}}}}}).status, 400);
}

TEST(Labeling, AQualificationRoundTeachesAndLetsThrough) {
  Pages pages;
  pages.options.required_rounds = {"first"};
  pages.open();
  for (int i = 0; i < 4; ++i) {
    auto test = feedback::question_of("t" + std::to_string(i), {"a", "b"});
    test.round = "first";
    test.gold = std::make_shared<const feedback::Answer>(feedback::Comparison{.best = 1});
    test.explanation = "b is better";
    pages.store.publish(test);
  }
  pages.store.publish(feedback::question_of("work", {"a", "b"}));
  for (int i = 0; i < 4; ++i) {
    const auto test = pages.get("/api/next")["assignments"][0];
    EXPECT_EQ(test["question"]["round"], "first");
    const auto verdict =
        pages.post("/api/answer", {{"assignment", test["id"]}, {"answer", pick(i == 0 ? 0 : 1)}})["verdict"];
    EXPECT_EQ(verdict["right"], i != 0);
    EXPECT_EQ(verdict["explanation"], "b is better");
  }
  EXPECT_EQ(pages.get("/api/next")["assignments"][0]["question"]["id"], "work");  // three of four are enough
}

TEST(Labeling, TooManyWrongGoldAnswersPauseTheWork) {
  Pages pages;
  pages.open();
  for (int i = 0; i < 12; ++i) {
    auto gold = feedback::question_of("g" + std::to_string(i), {"a", "b"});
    gold.gold = std::make_shared<const feedback::Answer>(feedback::Comparison{.best = 1});
    pages.store.publish(gold);
  }
  Qualification watch(pages.store, 0.75, 0.5);
  const feedback::Annotator ann{"ann", feedback::Source::human};
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(watch.after(ann, *pages.store.question("g" + std::to_string(i)), feedback::Comparison{.best = 0}));
  EXPECT_FALSE(pages.store.lease(ann, std::chrono::seconds(60)));
  const auto waiting = pages.get("/api/next")["waiting"]["reason"].get<std::string>();
  EXPECT_NE(waiting.find("paused"), waiting.npos);
}

TEST(Owner, SeesTheQueueAndWhoDisagrees) {
  Pages pages;
  pages.open();
  auto question = feedback::question_of("q", {"a", "b"});
  question.answers = 2;
  pages.store.publish(question);
  for (const auto* name : {"ann", "bob"}) {
    const auto held = pages.get("/api/next", name)["assignments"][0];
    pages.post("/api/answer", {{"assignment", held["id"]}, {"answer", pick(*name == 'a' ? 0 : 1)}}, name);
  }
  EXPECT_EQ(pages.get("/api/owner/overview")["counts"]["answers"], 2);
  const auto disagreement = pages.get("/api/owner/disagreements")["entries"][0];
  EXPECT_EQ(disagreement["answers"].size(), 2u);
  EXPECT_EQ(pages.get("/api/owner/queue")["entries"][0]["state"], "done");
  EXPECT_EQ(pages.get("/api/owner/search?annotator=bob")["entries"].size(), 1u);
  EXPECT_EQ(pages.post("/api/owner/erase", {{"annotator", "bob"}, {"reason", "asked"}})["events"], 1);
  EXPECT_EQ(pages.get("/api/owner/overview")["counts"]["open"], 1);
}

}  // namespace
}  // namespace rlhf::serving
