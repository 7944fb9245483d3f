#include "rlhf/algorithms/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/algorithms/tamer.h"
#include "rlhf/core/files.h"
#include "tests/algorithms/scripted_trainer.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::algorithms {
namespace {

const std::vector<double> scale = {1 / 2.4, 1 / 2.0, 1 / 0.2, 1 / 2.0};

/// Counts what it gets and does nothing with it.
struct Recorder : LiveLearner {
  std::vector<LiveStep> steps;
  std::vector<LiveSignal> signals;
  std::vector<std::string> calls;

  data::Action act(const data::Array&) override {
    calls.push_back("act");
    return std::int64_t(calls.size() % 2);
  }
  void observe(const LiveStep& step) override { steps.push_back(step); }
  void signal(const LiveSignal& signal) override {
    signals.push_back(signal);
    calls.push_back("signal");
  }
  bool undo(std::int64_t id) override {
    calls.push_back("undo");
    return !signals.empty() && signals.back().id == id;
  }
  void interrupt() override { calls.push_back("interrupt"); }
  void publish() override { calls.push_back("publish"); }
  std::int64_t version() const override { return 1; }
  std::string state() const override { return {}; }
};

/// Says at given ticks what it was told to say.
struct Script : Audience {
  std::multimap<int, Request> says;
  std::vector<View> views;
  std::vector<std::pair<std::int64_t, Outcome>> outcomes;

  std::vector<Request> requests() override {
    std::vector<Request> now;
    const auto [from, to] = says.equal_range(calls_++);
    for (auto at = from; at != to; ++at) now.push_back(at->second);
    return now;
  }
  void acknowledge(std::int64_t id, Outcome outcome, std::int64_t) override { outcomes.emplace_back(id, outcome); }
  void show(const View& view, const environments::Environment&) override { views.push_back(view); }

 private:
  int calls_ = 0;
};

feedback::Signal good(std::int64_t id, double pressed, double delay = 0.0) {
  return {.id = id, .annotator = "a", .value = 1, .pressed = pressed, .delay = delay};
}

struct Played {
  Recorder learner;
  Script audience;
  SessionResult result;
};

Played play(Script script, SessionConfig config) {
  ScratchFolder folder;
  environments::CartPole environment;
  VirtualClock clock;
  Played played{.audience = std::move(script)};
  played.result = run_session(environment, played.learner, played.audience, clock, config, folder / "log.jsonl");
  return played;
}

TEST(Session, TicksComeAtItsRateAndStepsHaveTheirTimes) {
  const auto played = play({}, {.rate = 10, .seconds = 0.75, .hold_seconds = 0});
  EXPECT_EQ(played.result.ticks, 8);
  ASSERT_EQ(played.learner.steps.size(), 7u);  // the last one is still on the screen
  EXPECT_NEAR(played.learner.steps[3].begin, 0.3, 1e-12);
  EXPECT_NEAR(played.learner.steps[3].end, 0.4, 1e-12);
  EXPECT_EQ(played.learner.calls[0], "publish") << "what was learnt counts from the tick's beginning";
  EXPECT_EQ(played.learner.calls[1], "act");
}

TEST(Session, SpeedChangesTheStepsNotTheTrainersTime) {
  Script script;
  script.says.emplace(4, Speed{0.5});
  const auto steps = play(script, {.rate = 10, .seconds = 2, .hold_seconds = 0}).learner.steps;
  EXPECT_NEAR(steps[2].end - steps[2].begin, 0.1, 1e-12);
  EXPECT_NEAR(steps[6].end - steps[6].begin, 0.2, 1e-12);
}

TEST(Session, SignalsCountForWhatWasOnTheScreenOnce) {
  Script script;
  script.says.emplace(5, good(7, 0.45, 0.05));
  script.says.emplace(6, good(7, 0.45, 0.05));
  script.says.emplace(7, UndoSignal{7});
  script.says.emplace(8, UndoSignal{9});
  const auto played = play(script, {.rate = 10, .seconds = 1.5, .hold_seconds = 0});
  ASSERT_EQ(played.learner.signals.size(), 1u);
  EXPECT_NEAR(played.learner.signals[0].time, 0.4, 1e-12);
  using Pair = std::pair<std::int64_t, Outcome>;
  EXPECT_EQ(
      played.audience.outcomes,
      (std::vector<Pair>{{7, Outcome::used}, {7, Outcome::duplicate}, {7, Outcome::undone}, {9, Outcome::unknown}}));
}

TEST(Session, APauseStopsTheCreditClock) {
  Script script;
  script.says.emplace(10, Pause{});        // clock 1.0
  script.says.emplace(12, good(1, 0.95));  // pressed before it: counts
  script.says.emplace(13, good(2, 1.15));  // pressed in it: does not
  script.says.emplace(30, Resume{});       // clock 3.0, session 1.0
  script.says.emplace(31, good(3, 2.5));   // about the pause: does not
  script.says.emplace(35, good(4, 3.4));   // session 1.4
  const auto played = play(script, {.rate = 10, .seconds = 2, .hold_seconds = 0});
  using Pair = std::pair<std::int64_t, Outcome>;
  EXPECT_THAT(played.audience.outcomes,
              testing::UnorderedElementsAre(Pair{1, Outcome::used}, Pair{2, Outcome::paused}, Pair{3, Outcome::paused},
                                            Pair{4, Outcome::used}));
  ASSERT_EQ(played.learner.signals.size(), 2u);
  EXPECT_NEAR(played.learner.signals[0].time, 0.95, 1e-9);
  EXPECT_NEAR(played.learner.signals[1].time, 1.4, 1e-9);
  EXPECT_EQ(std::count(played.learner.calls.begin(), played.learner.calls.end(), "interrupt"), 1);
  EXPECT_NEAR(played.audience.views.back().time, 4.0, 0.15) << "two seconds of play and two of pause";
  for (const auto& step : played.learner.steps)
    EXPECT_LT(step.end - step.begin, 0.11) << "no step lasts through the pause";
}

TEST(Session, TheEndOfAnEpisodeStaysOnTheScreenAndIsNoStep) {
  const auto played = play({}, {.rate = 10, .seconds = 60, .hold_seconds = 0.5});
  ASSERT_GT(played.result.episodes.size(), 2u);
  EXPECT_EQ(played.result.episodes[0].total_reward, played.result.episodes[0].steps);
  const auto last = static_cast<std::size_t>(played.result.episodes[0].steps) - 1;
  EXPECT_NEAR(played.learner.steps[last].end - played.learner.steps[last].begin, 0.1, 1e-9);
  EXPECT_NEAR(played.learner.steps[last + 1].begin - played.learner.steps[last].end, 0.5, 1e-9);
}

TEST(Session, StopsWhenAsked) {
  Script script;
  script.says.emplace(4, Stop{});
  EXPECT_LE(play(script, {.rate = 10, .seconds = 0}).result.ticks, 5);
  EXPECT_EQ(error_of([] { play({}, {.rate = 0}); }).where(), "rate");
}

struct Recorded {
  SessionResult result;
  std::string state;
};

Recorded record(const std::filesystem::path& log) {
  environments::CartPole environment;
  VirtualClock clock;
  Tamer tamer(2, scale, {.seed = 3});
  CartPoleTrainer trainer(clock, 3);
  trainer.extra = {Speed{2.0}};
  auto result = run_session(environment, tamer, trainer, clock, {.rate = 10, .seconds = 60}, log);
  return {.result = std::move(result), .state = tamer.state()};
}

TEST(Session, AReplayOfTheLogGivesTheSameBits) {
  ScratchFolder folder;
  const auto recorded = record(folder / "log.jsonl");
  EXPECT_GT(recorded.result.signals, 50);
  environments::CartPole environment;
  Tamer tamer(2, scale, {.seed = 3});
  const auto replayed = replay_session(environment, tamer, folder / "log.jsonl");
  EXPECT_EQ(tamer.state(), recorded.state);
  EXPECT_EQ(replayed.learner_hash, recorded.result.learner_hash);
  EXPECT_EQ(replayed.episodes.size(), recorded.result.episodes.size());
}

TEST(Session, AReplayNoticesWhatIsDifferent) {
  ScratchFolder folder;
  record(folder / "log.jsonl");
  environments::CartPole environment, shorter({.max_steps = 100});
  Tamer other(2, scale, {.learning_rate = 0.2, .seed = 3}), same(2, scale, {.seed = 3});
  EXPECT_EQ(error_of([&] { replay_session(environment, other, folder / "log.jsonl"); }).category(), Category::check);
  EXPECT_EQ(error_of([&] { replay_session(shorter, same, folder / "log.jsonl"); }).category(), Category::check);
  auto text = read_file(folder / "log.jsonl");
  write_file_atomic(folder / "cut.jsonl", text.substr(0, text.size() / 2));
  EXPECT_EQ(error_of([&] { replay_session(environment, same, folder / "cut.jsonl"); }).category(), Category::bad_data);
}

/// The bytes of the first `rows` whole rows, and half of the next.
std::string torn(const std::filesystem::path& log, int rows) {
  const auto text = read_file(log);
  std::size_t at = 0;
  for (int i = 0; i < rows; ++i) at = text.find('\n', at) + 1;
  return text.substr(0, (at + text.find('\n', at)) / 2);
}

TEST(Session, WhatAKilledProcessLeftGoesOnToOneLogWithTheSameBits) {
  ScratchFolder folder;
  record(folder / "whole.jsonl");
  write_file_atomic(folder / "log.jsonl", torn(folder / "whole.jsonl", 301));
  environments::CartPole environment;
  VirtualClock clock;
  clock.sleep_until(1000);  // another process, another clock
  Tamer tamer(2, scale, {.seed = 3});
  CartPoleTrainer trainer(clock, 4);
  const auto result = resume_session(environment, tamer, trainer, clock, folder / "log.jsonl");
  EXPECT_GT(result.ticks, 500) << "the rest of the minute, at the speed of the settings";
  EXPECT_LT(result.seconds, 60.2);
  EXPECT_EQ(trainer.views.front().tick, 301) << "300 ticks were logged, nothing of them is shown again";

  const auto whole = read_file(folder / "whole.jsonl"), gone_on = read_file(folder / "log.jsonl");
  const auto kept = torn(folder / "whole.jsonl", 301).rfind('\n') + 1;
  EXPECT_EQ(whole.substr(0, kept), gone_on.substr(0, kept));
  EXPECT_NE(gone_on.substr(kept, 200).find("resume"), std::string::npos) << "no signal reaches back over the gap";

  environments::CartPole again;
  Tamer other(2, scale, {.seed = 3});
  EXPECT_EQ(replay_session(again, other, folder / "log.jsonl").learner_hash, result.learner_hash);
  EXPECT_EQ(other.state(), tamer.state());
  environments::CartPole untouched;
  Tamer untaught(2, scale, {.seed = 3});
  EXPECT_EQ(error_of([&] { resume_session(untouched, untaught, trainer, clock, folder / "log.jsonl"); }).category(),
            Category::usage)
      << "the session is over";
}

TEST(Session, ALogIsLearntFromWithAnotherCreditRule) {
  ScratchFolder folder;
  const auto recorded = record(folder / "log.jsonl");
  const auto relearnt = [&](TamerConfig config) {
    environments::CartPole environment;
    config.seed = 3;
    Tamer tamer(2, scale, config);
    const auto result = relearn_session(environment, tamer, folder / "log.jsonl");
    EXPECT_EQ(result.signals, recorded.result.signals);
    EXPECT_EQ(result.episodes.size(), recorded.result.episodes.size()) << "what was done stays";
    return tamer.samples();
  };
  // A press at 10 to 20 steps a second reaches over 38 to 76 steps in a window of 3.8 s, and a sixth of it in 0.6 s.
  EXPECT_GT(relearnt({}), 30 * recorded.result.signals);
  EXPECT_LT(relearnt({.credit_high = 0.8}), 15 * recorded.result.signals);
}

}  // namespace
}  // namespace rlhf::algorithms
