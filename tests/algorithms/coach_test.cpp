#include "rlhf/algorithms/coach.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/algorithms/live_learner_config.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/environments/rollout.h"
#include "tests/algorithms/scripted_trainer.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::algorithms {
namespace {

data::Array seen(float number) { return std::vector<float>{number}; }
double sigmoid(double value) { return 1 / (1 + std::exp(-value)); }

/// Two actions, one number seen and a constant.
Coach plain_coach(const CoachConfig& config) {
  return Coach(make_softmax_policy(2, {.scale = {1.0}}, {.logit_limit = config.logit_limit}, 1), config);
}

/// Steps of a tenth of a second, one after the other.
class Steps {
 public:
  explicit Steps(Coach& coach, double tick = 0.1) : coach_(coach), tick_(tick) {}
  void operator()(float number, std::int64_t action, bool last = false) {
    coach_.observe({.observation = seen(number), .action = action, .begin = now_, .end = now_ + tick_, .last = last});
    now_ += tick_;
  }

 private:
  Coach& coach_;
  double tick_, now_ = 0;
};

/// What the policy's two scores differ by: of action 1 over action 0.
double lead(const Coach& coach, float number) {
  const auto chances = coach.chances(seen(number));
  return std::log(chances[1] / chances[0]);
}

constexpr double at_once = 1e9;  // a time that leaves the newest step on the screen

void press(Coach& coach, double value, std::int64_t id = 1, double time = at_once) {
  coach.signal({.id = id, .value = value, .time = time});
  coach.publish();
}

TEST(Coach, DelayedTracesWorkedByHand) {
  auto coach = plain_coach({.learning_rate = 0.1, .delay = 0.2, .trace = 0.5});
  Steps step(coach);
  step(2, 1), step(-1, 1), step(3, 0), step(5, 0);
  EXPECT_EQ(coach.delay_steps(), 2);
  press(coach, 1);
  // Two steps are old enough. All chances were a half: d log pi / d weights of action 1 is 0.5 (number, 1), of action 0
  // the opposite. e = 0.5 * 0.5 (2, 1) + 0.5 (-1, 1) = (0, 0.75), and the lead is 2 * 0.1 (0 * number + 0.75).
  EXPECT_NEAR(lead(coach, 0), 0.15, 1e-12);
  EXPECT_NEAR(lead(coach, 4), 0.15, 1e-12);
  EXPECT_EQ(coach.version(), 1);
}

TEST(Coach, ASignalIsAboutTheStepThatLiesTheDelayBack) {
  // Without a trace exactly one step counts: the newest with d = 0, the one d before it else.
  for (const int d : {0, 1, 2, 3}) {
    auto coach = plain_coach({.learning_rate = 1, .delay = 0.1 * d, .trace = 0});
    Steps step(coach);
    for (int i = 0; i < 5; ++i) step(0, i == 4 - d ? 1 : 0);
    press(coach, 1);
    EXPECT_GT(lead(coach, 0), 0) << d;
  }
  auto early = plain_coach({.delay = 0.2});
  Steps step(early);
  step(0, 1), step(0, 1);
  press(early, 1);
  EXPECT_EQ(early.version(), 0) << "nothing is old enough to be meant";
}

TEST(Coach, ALateSignalIsAboutTheStepThatWasOnTheScreen) {
  // The press is about step 4, seen at 0.45 s; by the time it comes in, `late` others have happened.
  const auto taught = [](int late, double value, double entropy = 0) {
    auto coach = plain_coach({.learning_rate = 1, .delay = 0.2, .trace = 0.5, .great_trace = 1, .entropy = entropy});
    Steps step(coach);
    for (int i = 0; i < 5 + late; ++i) step(float(i), i % 3 == 0, i == 5);  // an episode ends on the way
    press(coach, value, 1, 0.45);
    return lead(coach, 1);
  };
  for (const int late : {1, 4, 7}) {
    EXPECT_EQ(taught(late, 1), taught(0, 1)) << late;
    EXPECT_EQ(taught(late, -4), taught(0, -4)) << late;
    EXPECT_EQ(taught(late, 1, 0.1), taught(0, 1, 0.1)) << late;
  }
  EXPECT_NE(taught(0, 1), 0);
  EXPECT_EQ(taught(20, 1), 0) << "too late";
  auto first = plain_coach({.delay = 0});
  Steps step(first);
  step(0, 1);
  first.interrupt();
  step(0, 1);
  press(first, 1, 1, 0.05);
  EXPECT_EQ(first.version(), 0) << "from before a pause";
}

TEST(Coach, TheDelayInStepsFollowsTheMeasuredTick) {
  for (const auto& [tick, d] : {std::pair{1 / 30.0, 6}, {0.033, 6}, {0.1, 2}, {0.25, 1}, {0.5, 0}}) {
    auto coach = plain_coach({.delay = 0.2});
    Steps step(coach, tick);
    for (int i = 0; i < 40; ++i) step(0, 1);
    EXPECT_EQ(coach.delay_steps(), d) << tick;
  }
}

TEST(Coach, TracesTakeTheGradientAtTheParametersOfNow) {
  auto coach = plain_coach({.learning_rate = 0.5, .delay = 0, .trace = 0.5});
  Steps step(coach);
  step(1, 1);
  press(coach, 2);  // weights of action 1: 0.5 * 2 * (0.5, 0.5); so its chance at 1 is sigmoid(2)
  EXPECT_NEAR(lead(coach, 1), 2, 1e-12);
  step(1, 1);
  press(coach, 1);
  // e = 0.5 * 0.5 + (1 - sigmoid(2)) for each weight
  const double weight = 0.5 + 0.5 * (0.25 + 1 - sigmoid(2));
  EXPECT_NEAR(lead(coach, 1), 4 * weight, 1e-12);
}

TEST(Coach, AGreatSignalIsAboutEverythingUntilNow) {
  const auto taught = [](double value) {
    auto coach = plain_coach({.learning_rate = 0.01, .delay = 0, .trace = 0.5, .great_trace = 1});
    Steps step(coach);
    for (int i = 0; i < 10; ++i) step(0, 1);
    press(coach, value);
    return lead(coach, 0);
  };
  // A trace of ten steps with a gradient of 0.5 each: 5; with decay 0.5: 0.5 * (2 - 2^-9). The lead has it twice.
  EXPECT_NEAR(taught(4), 2 * 0.01 * 4 * 5, 1e-12);
  EXPECT_NEAR(taught(-4), -2 * 0.01 * 4 * 5, 1e-12);
  EXPECT_NEAR(taught(1), 2 * 0.01 * 0.5 * (2 - std::pow(2, -9)), 1e-12);
}

TEST(Coach, AnEpisodeStartsTheTracesAnewOnceItsFirstStepIsOldEnough) {
  auto coach = plain_coach({.learning_rate = 1, .delay = 0.1, .trace = 1});
  Steps step(coach);
  step(0, 1), step(0, 1, true), step(0, 0);
  press(coach, 1, 1);
  EXPECT_NEAR(lead(coach, 0), 2, 1e-12) << "the steps of the episode that is over";
  step(0, 0);
  EXPECT_TRUE(coach.undo(1));
  press(coach, 1, 2);
  // The first step of the new episode alone: its action, 0, had the chance 1 - sigmoid(2) at the time.
  EXPECT_NEAR(lead(coach, 0), -2 * sigmoid(2), 1e-12);
}

TEST(Coach, NothingReachesOverAPauseAndSilenceChangesNothing) {
  auto coach = plain_coach({.delay = 0, .entropy = 0.1, .weight_decay = 0.1});
  Steps step(coach);
  step(0, 1);
  coach.interrupt();
  press(coach, 1);
  EXPECT_EQ(coach.version(), 0);
  step(0, 1);
  press(coach, 1);
  const double before = lead(coach, 0);
  for (int i = 0; i < 50; ++i) step(0, 0), coach.publish();
  EXPECT_EQ(lead(coach, 0), before);
  EXPECT_EQ(coach.version(), 1);
}

TEST(Coach, UndoTakesBackWhatASignalChanged) {
  auto coach = plain_coach({.delay = 0, .entropy = 0.1, .undo = 2});
  Steps step(coach);
  step(1, 1);
  press(coach, 1, 1);
  const double once = lead(coach, 1);
  press(coach, -1, 2);
  press(coach, 1, 3);
  EXPECT_FALSE(coach.undo(1)) << "only two are kept";
  EXPECT_TRUE(coach.undo(3));
  EXPECT_TRUE(coach.undo(2));
  EXPECT_FALSE(coach.undo(2));
  coach.publish();
  EXPECT_NEAR(lead(coach, 1), once, 1e-12);
}

TEST(Coach, ALimitOfTheScoresLeavesEveryActionAChance) {
  const auto after = [](double limit) {
    auto coach = plain_coach({.learning_rate = 1, .delay = 0, .trace = 0, .logit_limit = limit});
    Steps step(coach);
    for (int i = 0; i < 3000; ++i) step(0, 1), press(coach, 1);
    return coach.chances(seen(0))[0];
  };
  EXPECT_GT(after(2), std::exp(-4) / 2);
  EXPECT_LT(after(0), 1e-3);
}

TEST(SoftmaxPolicy, GradientsAgreeWithFiniteDifferences) {
  struct Kind {
    SoftmaxPolicyConfig config;
    double step, tolerance;
  };
  for (const auto& [config, step, tolerance] : {Kind{{}, 1e-5, 1e-8}, Kind{{.logit_limit = 1.5}, 1e-5, 1e-8},
                                                Kind{{.hidden = {4}, .logit_limit = 1.5}, 1e-2, 2e-3}}) {
    const auto policy = make_softmax_policy(3, {.scale = {1.0, 0.5}, .squash = true}, config, 5);
    Random random(3);
    ParameterVector somewhere(policy->parameters().size());
    for (double& number : somewhere) number = random.normal();
    policy->add(somewhere);
    const std::vector<PolicyTerm> terms = {
        {.percept = policy->perceive(std::vector<float>{0.3F, -1.0F}), .action = 2, .weight = 0.7, .entropy = 0.4},
        {.percept = policy->perceive(std::vector<float>{-2.0F, 0.5F}), .action = 0, .weight = -1.2}};
    const auto worth = [&] {
      policy->publish();
      double sum = 0;
      for (const auto& term : terms) {
        const auto chances = policy->chances(term.percept);
        sum += term.weight * std::log(chances[static_cast<std::size_t>(term.action)]);
        for (const double chance : chances) sum -= term.entropy * chance * std::log(chance);
      }
      return sum;
    };
    const auto gradient = policy->gradient(terms);
    ASSERT_EQ(gradient.size(), policy->parameters().size());
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      ParameterVector change(gradient.size(), 0.0);
      change[i] = step;
      policy->add(change);
      const double above = worth();
      change[i] = -2 * step;
      policy->add(change);
      const double below = worth();
      change[i] = step;
      policy->add(change);
      EXPECT_NEAR(gradient[i], (above - below) / (2 * step), tolerance) << i;
    }
  }
}

TEST(Coach, ALogOfTamersSessionTeachesItAndItsOwnGivesTheSameBits) {
  ScratchFolder folder;
  const std::vector<double> scale = {1 / 2.4, 1 / 2.0, 1 / 0.2, 1 / 2.0};
  environments::CartPole world;
  const auto coach = [&] { return make_coach(world.spec(), {.delay = 0.6, .trace = 0.5}, scale, nullptr); };
  for (const bool own : {true, false}) {
    const auto log = folder / (own ? "coach.jsonl" : "tamer.jsonl");
    VirtualClock clock;
    CartPoleTrainer trainer(clock, 4, {.comments = 0.3});
    const auto learner =
        own ? std::unique_ptr<LiveLearner>(coach()) : make_tamer(world.spec(), {.credit_high = 0.8}, scale, nullptr);
    const auto lived = run_session(world, *learner, trainer, clock, {.rate = 5, .seconds = 200, .seed = 4}, log);
    const auto reader = coach();
    const auto read = own ? replay_session(world, *reader, log) : relearn_session(world, *reader, log);
    EXPECT_EQ(read.learner_hash == lived.learner_hash, own);
    EXPECT_EQ(read.signals, lived.signals);
    EXPECT_GT(reader->version(), 100);
  }
}

/// Presses from far away: what is on the screen is two steps old, and they take another to come in.
struct FarTrainer : CartPoleTrainer {
  using CartPoleTrainer::CartPoleTrainer;
  std::vector<Request> requests() override {
    auto late = std::exchange(on_their_way, CartPoleTrainer::requests());
    for (auto& request : late) std::get<feedback::Signal>(request).delay = 0.4;
    return late;
  }
  std::vector<Request> on_their_way;
};

TEST(Coach, ASessionFromFarAwayGivesTheSameBits) {
  ScratchFolder folder;
  environments::CartPole world;
  for (const auto kind : {LiveLearnerKind::coach, LiveLearnerKind::deep_coach}) {
    const auto learner = [&] { return make_live_learner(world.spec(), {.learner = kind}, {}, nullptr); };
    const auto log = folder / std::to_string(int(kind));
    VirtualClock clock;
    FarTrainer trainer(clock, 4);
    const auto lived = run_session(world, *learner(), trainer, clock, {.rate = 5, .seconds = 60, .seed = 4}, log);
    EXPECT_GT(lived.signals, 20);
    EXPECT_EQ(replay_session(world, *learner(), log).learner_hash, lived.learner_hash);
  }
}

TEST(Coach, SettingsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(error_of([] { plain_coach({.delay = -1}); }).where(), "delay");
  EXPECT_EQ(error_of([] { plain_coach({.trace = 1.5}); }).where(), "trace");
  EXPECT_EQ(error_of([] { plain_coach({.learning_rate = 0.5, .weight_decay = 2}); }).where(), "weight_decay");
  environments::Pendulum world;
  EXPECT_EQ(error_of([&] { make_coach(world.spec(), {}, {}, nullptr); }).where(), "environment");
}

}  // namespace
}  // namespace rlhf::algorithms
