// Against Stable-Baselines3: numbers of tests/reference/environments/make_normalization.py.
#include "rlhf/environments/normalization.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/environments/key_treasure.h"
#include "rlhf/environments/pendulum.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

using Rows = std::vector<std::vector<double>>;

const nlohmann::json& reference() {
  static const auto all = [] {
    std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/environments/normalization.json");
    return nlohmann::json::parse(file);
  }();
  return all;
}

/// Hands out the recorded numbers.
class Played final : public VectorEnvironment {
 public:
  Played() {
    spec_ = {.name = "played",
             .observation = Box{.dtype = Dtype::float64, .shape = {2}, .low = {-1e9}, .high = {1e9}},
             .action = Discrete{{"no", "yes"}},
             .settings = nlohmann::json::object()};
    out_ = make_vector_step(spec_, {.count = reference().at("envs")});
  }
  const Spec& spec() const override { return spec_; }
  std::int64_t count() const override { return out_.rewards.size(0); }
  AutoReset auto_reset() const override { return AutoReset::same_step; }
  const Tensor& reset(std::uint64_t) override {
    now_ = 0;
    write(out_.observations, "observations", 0);
    return out_.observations;
  }
  const VectorStep& step(const Tensor&) override {
    write(out_.final_observations, "finals", now_);
    write(out_.observations, "observations", now_ + 1);
    out_.ended = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      out_.rewards.mutable_data_ptr<double>()[i] = reference()["rewards"][now_][i];
      const bool done = reference()["dones"][now_][i];
      out_.truncated.mutable_data_ptr<bool>()[i] = done;
      out_.ended += done;
    }
    ++now_;
    return out_;
  }
  Place place(std::int64_t) const override { return {}; }
  std::string state_of(std::int64_t) const override { return {}; }
  std::string state() const override { return std::to_string(now_); }
  void set_state(std::string_view bytes) override {
    now_ = std::stoul(std::string(bytes));
    write(out_.observations, "observations", now_);
  }
  const Tensor& observations() const override { return out_.observations; }

 private:
  void write(const Tensor& to, const char* name, std::size_t t) {
    const auto rows = reference()[name][t].get<Rows>();
    for (std::size_t i = 0; i < 6; ++i) to.mutable_data_ptr<double>()[i] = rows[i / 2][i % 2];
  }
  Spec spec_;
  VectorStep out_;
  std::size_t now_ = 0;
};

std::unique_ptr<Normalized> played() {
  NormalizationConfig config{.observations = true, .rewards = true, .gamma = reference().at("gamma")};
  config.observation_clip = config.reward_clip = reference().at("clip");
  return std::make_unique<Normalized>(std::make_unique<Played>(), config);
}

void expect_rows(const Tensor& seen, const nlohmann::json& rows, const char* what) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < 2 && !rows[i].is_null(); ++j)
      ASSERT_NEAR(seen[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<double>(),
                  rows[i][j].get<double>(), 2e-7)
          << what;
}

TEST(Normalization, IsThatOfStableBaselines3) {
  const auto world = played();
  const auto& expected = reference().at("normalized");
  expect_rows(world->reset(0), expected["observations"][0], "start");
  const auto actions = at::zeros({3}, at::kLong);
  for (std::size_t t = 0; t < expected["rewards"].size(); ++t) {
    const auto& step = world->step(actions);
    expect_rows(step.observations, expected["observations"][t + 1], "observation");
    expect_rows(step.final_observations, expected["finals"][t], "last observation");
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_NEAR(step.rewards[static_cast<std::int64_t>(i)].item<double>(), expected["rewards"][t][i].get<double>(),
                  1e-6);
      ASSERT_EQ(earned(step)[static_cast<std::int64_t>(i)].item<double>(), reference()["rewards"][t][i].get<double>());
    }
  }
  const auto statistics = world->statistics();
  for (std::size_t j = 0; j < 2; ++j) {
    EXPECT_NEAR(statistics["observations"]["mean"][j].get<double>(), reference()["mean"][j].get<double>(), 1e-9);
    EXPECT_NEAR(statistics["observations"]["variance"][j].get<double>(), reference()["variance"][j].get<double>(),
                1e-7);
  }
  EXPECT_NEAR(statistics["returns"]["variance"][0].get<double>(), reference()["returns_variance"].get<double>(), 1e-9);
}

TEST(Normalization, GoesOnFromASavedStateToTheSameBits) {
  const auto one = played(), other = played();
  one->reset(0);
  const auto actions = at::zeros({3}, at::kLong);
  for (int t = 0; t < 15; ++t) one->step(actions);
  other->set_state(one->state());
  EXPECT_TRUE(other->observations().equal(one->observations()));
  for (int t = 15; t < 40; ++t) {
    const auto& a = one->step(actions);
    const auto& b = other->step(actions);
    ASSERT_TRUE(a.observations.equal(b.observations) && a.rewards.equal(b.rewards));
  }
  EXPECT_EQ(one->state(), other->state());
  EXPECT_THROW(other->set_state("no"), Error);
}

TEST(Normalization, AnExaminationIsSeenAsTrainingEndedAndTeachesNothing) {
  const NormalizationConfig config{.observations = true, .rewards = true};
  const auto make = [] { return std::make_unique<Batch<PendulumWorld>>(PendulumConfig{}, VectorOptions{.count = 2}); };
  const auto trained = normalized(make(), config);
  trained->reset(1);
  const auto actions = at::zeros({2, 1});
  for (int t = 0; t < 300; ++t) trained->step(actions);
  const auto statistics = dynamic_cast<Normalized&>(*trained).statistics();
  const auto examined = as_seen_in(*trained, make());
  examined->reset(2);
  const auto plain = make();
  plain->reset(2);
  for (int t = 0; t < 250; ++t) {
    const auto& step = examined->step(actions);
    ASSERT_TRUE(step.rewards.equal(plain->step(actions).rewards));
  }
  EXPECT_EQ(dynamic_cast<Normalized&>(*examined).statistics(), statistics);
  const double mean = statistics["observations"]["mean"][2], variance = statistics["observations"]["variance"][2];
  EXPECT_NEAR(examined->observations()[0][2].item<double>(),
              (plain->observations()[0][2].item<double>() - mean) / std::sqrt(variance), 1e-5);
}

TEST(Normalization, LeavesPicturesAlone) {
  const auto make = [] { return std::make_unique<Batch<KeyTreasureWorld>>(KeyTreasureConfig{}, VectorOptions{}); };
  EXPECT_THROW(normalized(make(), {.observations = true}), Error);
  EXPECT_EQ(normalized(make(), {.rewards = true})->spec().name, "key_treasure");
  EXPECT_EQ(dynamic_cast<Normalized*>(normalized(make(), {}).get()), nullptr);
}

}  // namespace
}  // namespace rlhf::environments
