#include <gtest/gtest.h>

#include <thread>

#include "rlhf/feedback/store.h"
#include "tests/feedback/postgres_server.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

using std::chrono::seconds;

/// What every store promises, whatever lies below it.
void keeps_the_contract(const std::string& location) {
  auto s = Store::open(location);
  const Annotator ann{"ann"}, bob{"bob"};
  EXPECT_TRUE(s.publish(questions_of(3)) == 3);
  EXPECT_TRUE(s.publish(questions_of(4)) == 1);
  EXPECT_TRUE(s.latest() == 4);
  auto a = s.lease(ann, seconds(60));
  EXPECT_TRUE(a && a->question.id == "q0");
  auto n = s.answer(*a, Comparison{.best = 1});
  EXPECT_TRUE(n == 5);
  EXPECT_TRUE(s.answer(*a, Comparison{.best = 1}) == n);
  EXPECT_TRUE(s.assignment(a->id));
  auto b = s.lease(ann, seconds(60));
  EXPECT_TRUE(b->question.id == "q1");
  auto bb = s.lease(bob, seconds(60));
  EXPECT_TRUE(bb->question.id == "q2");
  EXPECT_TRUE(s.held(ann).size() == 1);
  EXPECT_TRUE(s.counts().leased == 2);
  EXPECT_TRUE(s.extend(b->id, seconds(90)));
  s.release(*b);
  EXPECT_TRUE(s.lease(ann, seconds(60))->question.id == "q1");
  s.release_all(ann);
  const auto u = s.undo(ann, n);
  EXPECT_TRUE(s.undo(ann, n) == u);
  EXPECT_TRUE(s.counts().undone == 1);
  EXPECT_TRUE(s.counts().open == 4);
  EXPECT_TRUE(s.lease(ann, seconds(60))->question.id == "q0");
  s.release_all(ann);
  auto m = s.answer(*bb, Skip{.reason = "x"});
  EXPECT_TRUE(s.counts().skips == 1);
  auto r = s.revise(bob, m, Comparison{.best = 0});
  EXPECT_TRUE(s.revise(bob, m, Comparison{.best = 0}) == r);
  EXPECT_TRUE(s.counts().answers == 1);
  EXPECT_TRUE(s.counts().open == 3);
  s.requeue("q3", {.priority = 5.0, .answers = {}, .reason = "r"});
  EXPECT_TRUE(s.lease(ann, seconds(60))->question.id == "q3");
  s.release_all(ann);
  Document d{.kind = "guideline", .name = "g", .version = "1", .text = "t"};
  auto dn = s.publish(d);
  EXPECT_TRUE(s.publish(d) == dn);
  EXPECT_TRUE(s.document("guideline", "g")->version == "1");
  EXPECT_TRUE(s.search({.text = "good", .annotator = {}, .form = {}, .question = {}}).size() == 1);
  EXPECT_TRUE(s.queue({.form = {}}).size() == 4);
  EXPECT_TRUE(s.answered_by("bob") == 1);
  EXPECT_TRUE(s.erase("bob", "asked") == 2);
  EXPECT_TRUE(s.answered_by("bob") == 0);
  EXPECT_TRUE(s.counts().open == 4);
  EXPECT_TRUE(!s.wait(s.latest(), std::chrono::milliseconds(50)));
  std::vector<std::thread> t;
  for (int i = 0; i < 8; ++i)
    t.emplace_back([&, i] {
      while (auto x = s.lease({"t" + std::to_string(i)}, seconds(60))) s.answer(*x, Comparison{.best = 0});
    });
  s.publish([] {
    auto q = questions_of(200);
    for (auto& e : q) e.id += "x";
    return q;
  }());
  for (auto& x : t) x.join();
  while (auto x = s.lease(ann, seconds(60))) s.answer(*x, Comparison{.best = 0});
  EXPECT_TRUE(s.counts().answers == 204);
  EXPECT_TRUE(s.counts().open == 0);
}

TEST(StoreContract, Sqlite) {
  ScratchFolder folder;
  keeps_the_contract(folder / "feedback.db");
}

TEST(StoreContract, Postgres) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "postgresql-15 is not installed";
  PostgresServer server;
  keeps_the_contract(server.location());
}

}  // namespace
}  // namespace rlhf::feedback
