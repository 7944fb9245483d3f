#include "rlhf/control/replay.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "rlhf/control/dqn.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/table.h"
#include "tests/control/run_until.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::control {
namespace {

environments::Spec counting_spec() {
  return {.name = "counting",
          .observation = environments::Box{.shape = {1}, .low = {0}, .high = {1e9}},
          .action = environments::Discrete{{"a", "b"}}};
}

/// One environment that sees 0, 1, 2, ... and earns 1, 2, 4, 8 ... ; `ends` says after which steps its episode is over.
class Counting {
 public:
  Counting(Replay& replay, std::set<int> terminates, std::set<int> cut = {})
      : replay_(replay), terminates_(std::move(terminates)), cut_(std::move(cut)) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i, ++now_) {
      const bool ended = terminates_.contains(now_), late = cut_.contains(now_);
      environments::VectorStep step{.observations = at::full({1, 1}, now_ + 1.0, at::kFloat),
                                    .rewards = at::full({1}, std::pow(2.0, now_), at::kDouble),
                                    .terminated = at::full({1}, ended, at::kBool),
                                    .truncated = at::full({1}, late, at::kBool),
                                    .final_observations = at::full({1, 1}, 1000.0 + now_, at::kFloat)};
      replay_.add(at::full({1, 1}, double(now_), at::kFloat), at::full({1}, now_ % 2, at::kLong), step);
    }
  }

 private:
  Replay& replay_;
  std::set<int> terminates_, cut_;
  int now_ = 0;
};

struct Window {
  double reward, next, discount;
};

/// What is remembered of the window that begins with what was seen as `first`.
std::map<int, Window> windows(const Replay& replay) {
  Random random(1);
  const auto batch = replay.sample(400, random);
  std::map<int, Window> found;
  for (std::int64_t i = 0; i < 400; ++i) {
    const int first = static_cast<int>(batch.observations[i][0].item<float>());
    EXPECT_EQ(batch.actions[i].item<std::int64_t>(), first % 2);
    found[first] = {batch.rewards[i].item<float>(), batch.next_observations[i][0].item<float>(),
                    batch.discounts[i].item<float>()};
  }
  return found;
}

TEST(Replay, WindowsStopWhereEpisodesDo) {
  Replay replay(counting_spec(), 1, {.capacity = 50, .steps = 3, .gamma = 0.5});
  Counting(replay, {4}, {7}).run(12);
  const auto found = windows(replay);
  EXPECT_EQ(found.size(), 10);  // of 12 steps the last two have not seen three steps yet
  EXPECT_EQ(found.at(0).reward, 1 + 0.5 * 2 + 0.25 * 4);
  EXPECT_EQ(found.at(0).next, 3);
  EXPECT_EQ(found.at(0).discount, 0.125);
  EXPECT_EQ(found.at(3).reward, 8 + 0.5 * 16);  // step 4 terminated
  EXPECT_EQ(found.at(3).next, 1004);
  EXPECT_EQ(found.at(3).discount, 0);
  EXPECT_EQ(found.at(6).reward, 64 + 0.5 * 128);  // step 7 was cut off: its state has a value
  EXPECT_EQ(found.at(6).next, 1007);
  EXPECT_EQ(found.at(6).discount, 0.25);
  EXPECT_EQ(found.at(9).next, 12);  // the newest observation is no step yet
}

TEST(Replay, ForgetsTheOldestWhereItWrapsAround) {
  Replay replay(counting_spec(), 1, {.capacity = 5, .steps = 2, .gamma = 1});
  Counting counting(replay, {6});
  counting.run(13);
  const auto found = windows(replay);
  EXPECT_EQ(replay.size(), 5);
  ASSERT_EQ(found.size(), 4);
  for (int first = 8; first < 12; ++first) {
    EXPECT_EQ(found.at(first).reward, std::pow(2.0, first) + std::pow(2.0, first + 1));
    EXPECT_EQ(found.at(first).next, first + 2);
  }
}

TEST(Replay, RewardsThatAreAskedForReplaceWhatIsStored) {
  Replay replay(counting_spec(), 1, {.capacity = 20, .steps = 3, .gamma = 0.5});
  replay.set_reward(
      {.reward = [](const AskedSteps& steps) { return steps.observations.squeeze(1) * 10 + steps.actions; }});
  Counting(replay, {4}).run(9);
  const auto found = windows(replay);
  EXPECT_EQ(found.at(0).reward, 0 + 0.5 * 11 + 0.25 * 20);
  EXPECT_EQ(found.at(3).reward, 31 + 0.5 * 40);
}

TEST(Replay, AsksForEachRewardOnceAVersion) {
  Replay replay(counting_spec(), 1, {.capacity = 6, .steps = 2, .gamma = 1});
  std::int64_t version = 0, asked = 0;
  replay.set_reward({.reward =
                         [&](const AskedSteps& steps) {
                           asked += steps.actions.numel();
                           return steps.next_observations.squeeze(1) + 100.0 * double(version);
                         },
                     .version = [&] { return version; }});
  Counting counting(replay, {2});
  counting.run(6);
  EXPECT_EQ(windows(replay).at(0).reward, 1 + 2);
  EXPECT_EQ(windows(replay).at(2).reward, 1002);  // what ended the episode, not what began the next one
  EXPECT_EQ(asked, 6);
  version = 1;
  EXPECT_EQ(windows(replay).at(0).reward, 101 + 102);
  EXPECT_EQ(asked, 12);
  counting.run(1);
  EXPECT_EQ(windows(replay).at(5).reward, 106 + 107);
  EXPECT_EQ(asked, 13);  // a new step in an old one's place
}

TEST(Replay, DemonstrationsStayAndAreKnownAsSuch) {
  Replay replay(counting_spec(), 1, {.capacity = 4, .steps = 2, .gamma = 0.5, .first_steps = true});
  data::Trajectory shown{.spec = environments::hash_of(counting_spec()), .truncated = true};
  for (const float seen : {1000.0F, 1001.0F, 1002.0F, 1003.0F})
    shown.observations.emplace_back(std::vector<float>{seen});
  for (const std::int64_t done : {0, 1, 0}) shown.actions.emplace_back(done);
  shown.rewards = {1, 2, 4};
  replay.keep({&shown, 1});
  EXPECT_TRUE(replay.ready(3));
  Counting(replay, {}).run(20);
  EXPECT_EQ(replay.size(), 7);
  const auto found = windows(replay);
  ASSERT_EQ(found.size(), 3 + 3);
  EXPECT_EQ(found.at(1000).reward, 1 + 0.5 * 2);
  EXPECT_EQ(found.at(1000).next, 1002);
  EXPECT_EQ(found.at(1002).reward, 4);  // it was cut off here
  EXPECT_EQ(found.at(1002).next, 1003);
  EXPECT_EQ(found.at(1002).discount, 0.5);
  Random random(2);
  const auto batch = replay.sample(100, random);
  for (std::int64_t i = 0; i < 100; ++i) {
    const auto seen = batch.observations[i][0].item<double>();
    EXPECT_EQ(batch.demonstrated[i].item<double>(), seen >= 1000 ? 1 : 0);
    EXPECT_EQ(batch.first.next_observations[i][0].item<double>(), seen + 1);
    EXPECT_EQ(batch.first.discounts[i].item<double>(), 0.5);
    EXPECT_EQ(batch.first.rewards[i].item<double>(), std::pow(2.0, seen >= 1000 ? seen - 1000 : seen));
  }
}

TEST(Replay, PrioritiesDecideHowOftenAndWeightsUndoIt) {
  Replay replay(counting_spec(), 1, {.capacity = 8, .gamma = 1, .prioritised = true, .alpha = 1.0, .beta = 1.0});
  Counting(replay, {}).run(4);
  replay.update_priorities(at::tensor(std::vector<std::int64_t>{0, 1, 2, 3}), at::tensor({1.0F, -2.0F, 3.0F, 4.0F}));
  Random random(3);
  std::vector<double> counts(4);
  constexpr int draws = 20000;
  for (int i = 0; i < draws / 100; ++i) {
    const auto batch = replay.sample(100, random);
    double largest = 0;
    for (std::int64_t row = 0; row < 100; ++row) {
      const auto place = batch.places[row].item<std::int64_t>();
      ++counts[static_cast<std::size_t>(place)];
      largest = std::max(largest, batch.weights[row].item<double>() * double(place + 1));
    }
    EXPECT_NEAR(largest, 1, 1e-5);  // weight * priority is the same for every row
  }
  double chi_square = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double expected = draws * double(i + 1) / 10;
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 16.3);  // 3 degrees of freedom, 0.1 %
}

/// A screen of two pixels shows 10 * episode + step; three are seen together, the first one of an episode thrice.
class Screens {
 public:
  explicit Screens(std::int64_t stack) : stack_(stack) {}
  environments::Spec spec() const {
    const environments::Box three{
        .dtype = environments::Dtype::uint8, .shape = {3, 1, 2}, .low = {0}, .high = {255}, .stack = stack_};
    return {.name = "screens", .observation = three, .action = environments::Discrete{{"a", "b"}}};
  }
  /// Episodes of 5, 6, 7 ... steps in two environments, the second one a step ahead; every other one is cut off.
  void run(Replay& replay, int steps) {
    for (; steps > 0; --steps) {
      environments::VectorStep outcome{.rewards = at::zeros({2}, at::kDouble),
                                       .terminated = at::zeros({2}, at::kBool),
                                       .truncated = at::zeros({2}, at::kBool)};
      std::vector<Tensor> seen, next, finals;
      for (int env = 0; env < 2; ++env) {
        auto& [episode, step] = now_[env];
        seen.push_back(stack(episode, step));
        ++step;
        finals.push_back(stack(episode, step));
        if (step == 5 + episode) {
          (episode % 2 ? outcome.truncated : outcome.terminated)[env] = true;
          ++episode, step = 0;
        }
        next.push_back(stack(episode, step));
      }
      outcome.observations = at::stack(next);
      outcome.final_observations = at::stack(finals);
      replay.add(at::stack(seen), at::zeros({2}, at::kLong), outcome);
    }
  }

 private:
  static Tensor stack(int episode, int step) {
    std::vector<Tensor> parts;
    for (int age = 2; age >= 0; --age)
      parts.push_back(at::full({1, 2}, 10 * (episode + 1) + std::max(0, step - age), at::kByte));
    return at::stack(parts);
  }
  std::int64_t stack_;
  std::pair<int, int> now_[2] = {{0, 0}, {0, 1}};
};

TEST(Replay, StacksOfPicturesAreMadeOfPicturesThatAreKeptOnce) {
  for (const int steps : {4, 19, 20, 21, 57}) {
    const ReplayConfig config{.capacity = 40, .steps = 2};
    Screens with(3), without(1);
    Replay small(with.spec(), 2, config), large(without.spec(), 2, config);
    with.run(small, steps);
    without.run(large, steps);
    rlhf::State state;
    small.save(state, "replay");
    EXPECT_EQ(state.tensors.at("replay.observations").size(1), 1);  // of the three
    Replay again(with.spec(), 2, config);
    again.restore(state, "replay");
    with.run(again, 3);
    with = Screens(3);
    for (int more : {0, 3}) {
      if (more) without.run(large, more);
      Random a(7), b(7);
      const auto got = (more ? again : small).sample(300, a), want = large.sample(300, b);
      EXPECT_TRUE(got.observations.equal(want.observations)) << steps << " " << more;
      EXPECT_TRUE(got.next_observations.equal(want.next_observations)) << steps << " " << more;
      EXPECT_TRUE(got.discounts.equal(want.discounts));
    }
  }
}

TEST(Replay, AnEpisodeThatIsNotGoneOnWithIsCutOff) {
  Replay replay(counting_spec(), 1, {.capacity = 20, .steps = 2, .gamma = 0.5});
  Counting(replay, {}).run(3);
  Counting(replay, {}).run(2);  // begins at 0 again, where 3 was expected
  const auto found = windows(replay);
  EXPECT_EQ(found.at(2).next, 3);  // what the step led to, not the new start
  EXPECT_EQ(found.at(2).discount, 0.5);
}

TEST(Replay, RefusesACapacityThatHoldsNoWindow) {
  EXPECT_THROW(Replay(counting_spec(), 8, {.capacity = 16, .steps = 3}), Error);
}

std::unique_ptr<environments::VectorEnvironment> poles(std::int64_t count) {
  return environments::make_vector(environments::builtin_environments(), "cart_pole", nullptr, {.count = count});
}

DqnConfig quick(std::int64_t total) {
  DqnConfig config;
  config.total_steps = total;
  config.start = 500;
  config.batch = 64;
  config.train_every = 4;
  config.gradient_steps = 2;
  config.learning_rate = 1e-3;
  config.target_every = 250;
  config.epsilon_share = 0.3;
  config.network.hidden = {64, 64};
  config.seed = 2;
  return config;
}

std::string trained(const std::filesystem::path& folder, const DqnConfig& config, std::int64_t stop_after) {
  const auto environments = poles(config.envs);
  std::int64_t steps = 0;
  auto run = run_until(folder, [&] { return stop_after > 0 && steps >= stop_after; });
  train_dqn(*environments, config, {.after = [&](std::int64_t) { ++steps; }}, run);
  return read_file(folder / "checkpoints/latest/agent.safetensors");
}

TEST(Dqn, ResumesToTheSameBitsBufferAndAll) {
  const ScratchFolder scratch;
  auto config = quick(2400);
  config.replay = {.capacity = 900, .steps = 3, .prioritised = true};
  config.double_q = config.duelling = true;
  config.envs = 2;
  config.report_every = 100;
  const auto expected = trained(scratch.path() / "whole", config, 0);
  trained(scratch.path() / "cut", config, 777);
  EXPECT_EQ(trained(scratch.path() / "cut", config, 0), expected);
  EXPECT_EQ(read_file(scratch.path() / "cut/metrics.jsonl"), read_file(scratch.path() / "whole/metrics.jsonl"));
}

TEST(Dqn, LearnsToBalanceAPole) {
  const ScratchFolder scratch;
  const auto environments = poles(1);
  rlhf::Run run({.folder = scratch.path() / "run", .quiet = true}, "", nlohmann::json::object());
  const auto network = train_dqn(*environments, quick(25000), {}, run);
  const auto fresh = poles(10);
  const auto act = [&](const Tensor& seen) { return network->values(seen).argmax(1); };
  EXPECT_GT(mean(play(*fresh, act, 20, 4)), 150);
}

}  // namespace
}  // namespace rlhf::control
