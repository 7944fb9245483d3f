#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "rlhf/algorithms/frame_pretraining.h"
#include "rlhf/algorithms/tamer.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/mini_bowl.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::algorithms {
namespace {

data::Array seen(float number) { return std::vector<float>{number}; }

TEST(DeepSignal, FitsWhatNoLinearFunctionDoes) {
  // Praise within ±0.5, scolding beyond, for one action; the other way round for the other.
  const auto model = deep_signal(2, {.scale = {1.0}}, {.learning_rate = 1e-2}, 1);
  std::vector<SignalSample> samples;
  for (int i = -10; i <= 10; ++i)
    for (const std::int64_t action : {0, 1}) {
      const double value = (std::abs(i) <= 5) == (action == 0) ? 1.0 : -1.0;
      samples.push_back({model->perceive(seen(static_cast<float>(i) / 10)), action, value, 0.5});
    }
  std::vector<const SignalSample*> batch;
  for (const auto& sample : samples) batch.push_back(&sample);
  for (int step = 0; step < 800; ++step) model->fit(batch);
  EXPECT_LT(std::abs(model->predict(model->perceive(seen(0)))[0]), 0.6) << "not published yet";
  model->publish();
  for (const float at : {-0.9F, -0.2F, 0.3F, 0.8F}) {
    const auto values = model->predict(model->perceive(seen(at)));
    EXPECT_EQ(values[0] > values[1], std::abs(at) < 0.5F) << at;
  }
}

TEST(DeepSignal, OnlyTheTakenActionLearnsAtFirst) {
  const auto model = deep_signal(2, {.scale = {1.0}}, {.hidden = {}, .learning_rate = 0.1}, 2);
  const auto before = model->predict(model->perceive(seen(1)));
  const SignalSample sample{model->perceive(seen(1)), 1, 1.0, 0.01};
  model->fit({&sample});
  model->publish();
  const auto after = model->predict(model->perceive(seen(1)));
  EXPECT_EQ(after[0], before[0]);
  // Adam's first step is the learning rate, whatever the weight of the sample: both weight and bias move by it, towards
  // the signal of 1 from wherever the first weights happen to be.
  EXPECT_NEAR(after[1] - before[1], before[1] < 1.0 ? 0.2 : -0.2, 1e-4) << before[1];
}

TEST(FramePretraining, SeesMoreThanTheMeanFrameAndTheFileGivesTheSameBits) {
  at::set_num_threads(1);
  ScratchFolder folder;
  environments::MiniBowl world;
  const FramePretrainingConfig config{.frames = 640, .epochs = 8, .learning_rate = 5e-3};
  const auto made = pretrained_frames(world, config, folder / "eyes.safetensors");
  EXPECT_LT(made.error, made.variance);
  EXPECT_EQ(made.autoencoder->features(), 25);
  const auto read = pretrained_frames(world, config, folder / "eyes.safetensors");
  EXPECT_EQ(read.error, made.error);
  const auto frames = random_frames(world, 3, 5, 9).to(at::kFloat).div_(255);
  EXPECT_TRUE(at::equal(read.autoencoder->encode(frames), made.autoencoder->encode(frames)));
  EXPECT_TRUE(at::allclose(made.autoencoder->encode(frames).narrow(0, 1, 1),
                           made.autoencoder->encode(frames.narrow(0, 1, 1)), 1e-4, 1e-5))
      << "a frame's code does not depend on its neighbours";
  environments::CartPole numbers;
  EXPECT_EQ(error_of([&] { pretrain_frames(numbers, config); }).category(), Category::usage);
}

TEST(DeepTamer, NeedsEyesForPicturesAndReplaysToTheBit) {
  environments::MiniBowl world;
  EXPECT_EQ(error_of([&] { make_tamer(world.spec(), {}, {}, nullptr); }).where(), "model");
  const auto eyes = pretrain_frames(world, {.frames = 64, .epochs = 1}).autoencoder;
  const auto taught = [&] {
    const auto tamer = make_tamer(world.spec(), {.replay_every = 2}, {}, eyes);
    world.reset(5);
    for (int i = 0; i < 40; ++i) {
      const auto observation = world.observation();
      const auto action = tamer->act(observation);
      world.step(action);
      tamer->observe({.observation = observation, .action = action, .begin = i * 0.1, .end = i * 0.1 + 0.1});
      if (i % 5 == 4) tamer->signal({.id = i, .value = i % 2 ? 1.0 : -1.0, .time = i * 0.1 + 0.1});
      tamer->publish();
    }
    return tamer->state();
  };
  EXPECT_EQ(taught(), taught());
}

}  // namespace
}  // namespace rlhf::algorithms
