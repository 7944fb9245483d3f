#include "rlhf/algorithms/deep_coach.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/algorithms/frame_pretraining.h"
#include "rlhf/algorithms/live_learner_config.h"
#include "rlhf/environments/point_chase.h"
#include "rlhf/environments/two_landmarks.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::algorithms {
namespace {

data::Array seen(float number) { return std::vector<float>{number}; }

std::unique_ptr<SoftmaxPolicy> linear() { return make_softmax_policy(2, {.scale = {1.0}}, {}, 1); }

TEST(DeepCoach, AWindowsWeightsWorkedByHand) {
  const auto policy = linear();  // every chance is a half
  const auto percept = policy->perceive(seen(1));
  const FeedbackWindow window{.steps = {{.percept = percept, .action = 0, .chance = 0.01},
                                        {.percept = percept, .action = 1, .chance = 0.25},
                                        {.percept = percept, .action = 0, .chance = 1.0}},
                              .value = -2};
  const auto terms = window_terms(*policy, window, 0.35, 10, 4);
  ASSERT_EQ(terms.size(), 3U);
  EXPECT_NEAR(terms[2].weight, -2.0 / 4 * 0.5, 1e-12);               // ratio 0.5 / 1
  EXPECT_NEAR(terms[1].weight, -2.0 / 4 * 0.35 * 2, 1e-12);          // 0.5 / 0.25
  EXPECT_NEAR(terms[0].weight, -2.0 / 4 * 0.35 * 0.35 * 10, 1e-12);  // 50, cut off at 10
}

struct Lesson {
  DeepCoach coach;
  double now = 0;
  explicit Lesson(const DeepCoachConfig& config) : coach(linear(), config) {}
  void step(float number, std::int64_t action, bool last = false) {
    coach.observe({.observation = seen(number), .action = action, .begin = now, .end = now + 0.1, .last = last});
    now += 0.1;
  }
  double lead() const {
    const auto chances = coach.chances(seen(0));
    return std::log(chances[1] / chances[0]);
  }
};

TEST(DeepCoach, OneUpdateWorkedByHand) {
  Lesson lesson(
      {.learning_rate = 0.1, .delay = 0.1, .trace = 0.5, .window = 2, .minibatch = 4, .update_every = 0, .entropy = 0});
  for (const std::int64_t action : {0, 1, 1, 0}) lesson.step(0, action);
  lesson.coach.signal({.id = 1, .value = 1, .time = lesson.now});
  lesson.coach.publish();
  // The newest step is too young; the two before it did action 1, whose gradient is 0.5 for its constant. Four times
  // the same window: e = 0.5 * 0.5 + 0.5, and all ratios are 1.
  EXPECT_NEAR(lesson.lead(), 2 * 0.1 * 0.75, 1e-12);
  EXPECT_EQ(lesson.coach.version(), 1);
}

TEST(DeepCoach, WindowsEndWithTheEpisodeAndHoldSilentSteps) {
  Lesson lesson({.delay = 0, .window = 3, .update_every = 0});
  lesson.step(0, 0, true);
  lesson.step(0, 1);
  const auto before = lesson.coach.state().size();
  lesson.coach.signal({.id = 1, .value = 1, .time = lesson.now});
  const auto one = lesson.coach.state().size() - before;  // a window of one step
  lesson.step(0, 1), lesson.step(0, 1);
  const auto later = lesson.coach.state().size();
  lesson.coach.signal({.id = 2, .value = 1, .time = lesson.now});
  const auto three = lesson.coach.state().size() - later;
  EXPECT_EQ(lesson.coach.windows(), 2);
  const auto pair = 2 * sizeof(float) + sizeof(std::int64_t) + sizeof(bool) + sizeof(double);
  EXPECT_EQ(three - one, 2 * pair);
}

TEST(DeepCoach, ALateSignalsWindowEndsWithWhatWasOnTheScreen) {
  const auto taught = [](int late) {
    Lesson lesson({.delay = 0.1, .window = 3, .update_every = 0, .entropy = 0});
    for (int i = 0; i < 5 + late; ++i) lesson.step(float(i), i % 3 == 0, i == 5);
    lesson.coach.signal({.id = 1, .value = 1, .time = 0.45});
    lesson.coach.publish();
    return lesson.lead();
  };
  for (const int late : {1, 4, 7}) EXPECT_EQ(taught(late), taught(0)) << late;
  EXPECT_NE(taught(0), 0);
  EXPECT_EQ(taught(20), 0) << "too late";
}

TEST(DeepCoach, LearnsBetweenSignalsUntilTheyAreUndone) {
  Lesson lesson({.delay = 0, .update_every = 1, .entropy = 0});
  lesson.step(0, 1);
  lesson.coach.signal({.id = 7, .value = 1, .time = lesson.now});
  lesson.coach.publish();
  const double once = lesson.lead();
  EXPECT_GT(once, 0);
  lesson.step(0, 0);
  lesson.coach.publish();
  EXPECT_GT(lesson.lead(), once);
  EXPECT_EQ(lesson.coach.version(), 2);
  EXPECT_FALSE(lesson.coach.undo(8));
  EXPECT_TRUE(lesson.coach.undo(7));
  lesson.step(0, 0);
  lesson.coach.publish();
  EXPECT_EQ(lesson.coach.version(), 2);
}

TEST(DeepCoach, EntropyDrawsAPolicyBackToTheMiddle) {
  const auto lead_after = [](double entropy) {
    Lesson lesson({.learning_rate = 0.05, .delay = 0, .update_every = 1, .entropy = entropy});
    lesson.step(0, 1);
    lesson.coach.signal({.id = 1, .value = 1, .time = lesson.now});
    for (int i = 0; i < 2000; ++i) lesson.step(0, 1), lesson.coach.publish();
    return lesson.lead();
  };
  EXPECT_GT(lead_after(0), 2 * lead_after(1.5));
  EXPECT_GT(lead_after(1.5), 0.1);
}

TEST(DeepCoach, SeesPicturesThroughItsEncoderAndRepeatsItself) {
  environments::TwoLandmarks world;
  EXPECT_EQ(error_of([&] { make_deep_coach(world.spec(), {}, {}, nullptr); }).where(), "learner");
  EXPECT_TRUE(needs_encoder(world.spec(), LiveLearnerConfig{.learner = LiveLearnerKind::deep_coach}));
  const auto eyes = pretrain_frames(world, {.frames = 64, .epochs = 1}).autoencoder;
  const auto taught = [&](std::uint64_t seed) {
    const auto coach = make_deep_coach(world.spec(), {.learning_rate = 0.01, .greedy = false, .seed = seed}, {}, eyes);
    world.reset(5);
    for (int i = 0; i < 30; ++i) {
      const auto observation = world.observation();
      const auto action = coach->act(observation);
      const auto step = world.step(action);
      const bool last = step.terminated || step.truncated;
      coach->observe(
          {.observation = observation, .action = action, .begin = i * 0.2, .end = i * 0.2 + 0.2, .last = last});
      if (i % 5 == 4) coach->signal({.id = i, .value = i % 2 ? 1.0 : -1.0, .time = i * 0.2 + 0.2});
      coach->publish();
      if (last) world.reset(static_cast<std::uint64_t>(i));
    }
    return coach->state();
  };
  EXPECT_EQ(taught(1), taught(1));
  EXPECT_NE(taught(1), taught(2));
}

TEST(Rehearsed, DoesTheSameInTheEndWhateverCameBefore) {
  environments::PointChase world;
  const auto acts = [&](double before) {
    Rehearsed agent(world.spec(), before, {.episodes = 2, .middling = 0.5, .seed = 3});
    std::vector<std::int64_t> first, then;
    for (int i = 0; i < 90; ++i) {
      if (i % 30 == 0) world.reset(static_cast<std::uint64_t>(i));
      const auto action = agent.act(world.observation());
      (i < 60 ? first : then).push_back(std::get<std::int64_t>(action));
      agent.observe({.observation = world.observation(), .action = action, .last = i % 30 == 29});
    }
    return std::pair{first, then};
  };
  const auto bad = acts(0.9), good = acts(0.1);
  EXPECT_NE(bad.first, good.first);
  EXPECT_EQ(bad.second, good.second);
}

}  // namespace
}  // namespace rlhf::algorithms
