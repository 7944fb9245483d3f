#include "rlhf/rewards/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "rlhf/core/error.h"
#include "tests/rewards/completions.h"

namespace rlhf::rewards {
namespace {

using testing::HasSubstr;
using testing::Property;
using testing::Throws;

class ProcessReward : public testing::Test {
 protected:
  /// A Python child whose loop body is `body`; `rows` and `write(...)` are at hand.
  RewardFn child(const std::string& body, double timeout = 20.0, int restarts = 1) {
    const auto name = testing::TempDir() + "/child_" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".py";
    std::ofstream(name) << "import json, os, sys, time\n"
                           "def write(**answer):\n    print(json.dumps(answer), flush=True)\n" +
                               body;
    return process_reward({.command = {"python3", "-S", name}, .timeout_seconds = timeout, .restarts = restarts});
  }
};

TEST_F(ProcessReward, SendsPromptCompletionAndRow) {
  const auto reward = child("for line in sys.stdin:\n"
                            "    q = json.loads(line)\n"
                            "    write(id=q['id'], score=len(q['completion']), parts={'n': q['row']['n'], 'p': len(q['prompt'])})\n");
  const auto scores = Answers({"a", "bbb", "é\n\"x\""}).scored_by(reward);
  EXPECT_EQ(scores[0].value, 1);
  EXPECT_EQ(scores[1].value, 3);
  EXPECT_EQ(scores[2].value, 5);
  EXPECT_EQ(scores[2].parts.at("n"), 2);
  EXPECT_EQ(scores[2].parts.at("p"), 8);
  EXPECT_EQ(Answers({"again"}).scored_by(reward)[0].value, 5);  // the same child
  EXPECT_TRUE(Answers({}).scored_by(reward).empty());
}

TEST_F(ProcessReward, AnswersMayComeInAnyOrder) {
  const auto reward = child("rows = [json.loads(sys.stdin.readline()) for _ in range(3)]\n"
                            "for q in reversed(rows):\n    write(id=q['id'], score=float(q['completion']))\n"
                            "sys.stdin.read()\n");
  const auto scores = Answers({"1", "2", "3"}).scored_by(reward);
  EXPECT_EQ(scores[0].value, 1);
  EXPECT_EQ(scores[2].value, 3);
}

TEST_F(ProcessReward, LargeBatchesPassWithoutDeadlock) {
  const auto reward = child("for line in sys.stdin:\n"
                            "    q = json.loads(line)\n"
                            "    sys.stderr.write('x' * 200)\n"
                            "    write(id=q['id'], score=1, note='y' * 3000)\n");
  const auto scores = Answers(std::vector<std::string>(1500, std::string(2000, 'z'))).scored_by(reward);
  EXPECT_EQ(scores.size(), 1500u);
  EXPECT_EQ(scores.back().value, 1);
}

TEST_F(ProcessReward, BrokenUtf8ReachesTheChildAsValidJson) {
  const auto reward = child("q = json.loads(sys.stdin.readline())\nwrite(id=q['id'], score=len(q['completion']))\nsys.stdin.read()\n");
  EXPECT_EQ(Answers({"ab\xf0\x9f"}).scored_by(reward)[0].value, 3);
}

TEST_F(ProcessReward, ACrashIsShownWithTheLastWordsOfTheChild) {
  const auto reward = child("sys.stdin.readline()\nraise ValueError('out of cheese')\n", 20.0, 0);
  EXPECT_THAT([&] { Answers({"x", "y"}).scored_by(reward); },
              Throws<Error>(Property(&Error::problem, testing::AllOf(HasSubstr("exit status 1"), HasSubstr("2 of 2"),
                                                                     HasSubstr("out of cheese")))));
}

TEST_F(ProcessReward, ADeadChildIsStartedAgainAndOnlyAskedForTheRest) {
  const auto mark = testing::TempDir() + "/died_once";
  std::remove(mark.c_str());
  const auto reward = child("for line in sys.stdin:\n"
                            "    q = json.loads(line)\n"
                            "    if q['completion'] == '2' and not os.path.exists('" + mark + "'):\n"
                            "        open('" + mark + "', 'w'); os.kill(os.getpid(), 9)\n"
                            "    write(id=q['id'], score=float(q['completion']), parts={'pid': os.getpid()})\n");
  const auto scores = Answers({"1", "2", "3"}).scored_by(reward);
  EXPECT_EQ(scores[2].value, 3);
  EXPECT_NE(scores[0].parts.at("pid"), scores[1].parts.at("pid"));
  EXPECT_EQ(scores[1].parts.at("pid"), scores[2].parts.at("pid"));
}

TEST_F(ProcessReward, SilenceEndsInATimeoutAndTheNextBatchWorks) {
  const auto mark = testing::TempDir() + "/slept_once";
  std::remove(mark.c_str());
  const auto reward = child("for line in sys.stdin:\n"
                            "    q = json.loads(line)\n"
                            "    if not os.path.exists('" + mark + "'):\n"
                            "        open('" + mark + "', 'w'); time.sleep(30)\n"
                            "    write(id=q['id'], score=1)\n", 0.5);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT([&] { Answers({"x"}).scored_by(reward); }, Throws<Error>(Property(&Error::problem, HasSubstr("0.5 s"))));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  // The first call may have paid for Python's start: give the second what it needs.
  EXPECT_NO_THROW({
    for (int i = 0;; ++i) {
      try {
        EXPECT_EQ(Answers({"y"}).scored_by(reward)[0].value, 1);
        break;
      } catch (const Error&) {
        if (i == 20) throw;
      }
    }
  });
}

TEST_F(ProcessReward, WrongAnswersAreNamed) {
  const auto wrong = [&](const std::string& answer) {
    return child("q = json.loads(sys.stdin.readline())\n" + answer + "\nsys.stdin.read()\n");
  };
  const auto message = [](const RewardFn& reward, const std::string& text) {
    EXPECT_THAT([&] { Answers({"x"}).scored_by(reward); }, Throws<Error>(Property(&Error::problem, HasSubstr(text))));
  };
  message(wrong("print('loading model', flush=True)"), "loading model");
  message(wrong("write(id=999, score=1)"), "was not asked");
  message(wrong("write(id=q['id'], score='high')"), "no finite number");
  message(wrong("print('{\"id\": 0, \"score\": NaN}', flush=True)"), "no answer");
  message(wrong("write(id=q['id'], error='no such language')"), "no such language");
}

TEST_F(ProcessReward, AProgramThatIsNotThereIsAnErrorOfTheSettings) {
  const auto reward = process_reward({.command = {"no-such-program-anywhere"}});
  EXPECT_THAT([&] { Answers({"x"}).scored_by(reward); },
              Throws<Error>(testing::AllOf(Property(&Error::category, Category::usage),
                                           Property(&Error::problem, HasSubstr("No such file")))));
  EXPECT_THROW(process_reward({.command = {}}), Error);
  EXPECT_THROW(process_reward({.command = {"cat"}, .timeout_seconds = 0}), Error);
}

}  // namespace
}  // namespace rlhf::rewards
