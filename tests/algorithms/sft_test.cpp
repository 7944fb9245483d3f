#include "rlhf/algorithms/sft.h"

#include <cmath>

#include "reference.h"
#include "rlhf/core/error.h"
#include "tiny.h"

namespace rlhf::algorithms {
namespace {

std::vector<data::Example> reference_examples() {
  std::vector<data::Example> examples;
  for (const auto& row : reference()["sft"]["examples"])
    examples.push_back({.ids = row["ids"].get<TokenIds>(), .mask = row["mask"].get<std::vector<std::uint8_t>>()});
  return examples;
}

/// "a b c ..." sequences that continue by counting: learnable in a few steps.
std::vector<data::Example> counting(int count) {
  std::vector<data::Example> examples;
  for (int i = 0; i < count; ++i) {
    data::Example example;
    for (int j = 0; j < 4 + i % 5; ++j) example.ids.push_back(65 + (i + j) % 20), example.mask.push_back(j > 0);
    examples.push_back(example);
  }
  return examples;
}

SftConfig quick() { return {.batch = 4, .learning_rate = 1e-2, .micro_tokens = 4096}; }

TEST(SftLoss, WorkedByHand) {
  EXPECT_NEAR(sft_loss(at::tensor({-1.f, -3.f})).loss.item<double>(), 2, 1e-6);
  EXPECT_NEAR(sft_loss(at::tensor({-1.f, -3.f}), 8).loss.item<double>(), 0.5, 1e-6);
}

TEST(Sft, AgreesWithTransformers) {
  const auto& numbers = reference()["sft"];
  const Scratch scratch;
  const auto model = tiny_model();
  const auto examples = reference_examples();
  rlhf::Run run(scratch.run("a"), "", {});
  auto config = quick();
  config.learning_rate = 1e-9;
  train(*model, examples, config, {.write_model = write_nothing}, run);
  EXPECT_NEAR(metric(scratch, "a", "loss").at(0), numbers["loss"], 2e-5);
  EXPECT_NEAR(metric(scratch, "a", "entropy").at(0), numbers["entropy"], 2e-5);
  EXPECT_NEAR(metric(scratch, "a", "mean_token_accuracy").at(0), numbers["accuracy"], 1e-6);
  EXPECT_NEAR(metric(scratch, "a", "grad_norm").at(0), numbers["grad_norm"], 1e-3 * numbers["grad_norm"].get<double>());
}

TEST(Sft, AccumulatedIsOneBatch) {
  const Scratch scratch;
  for (const auto& [name, budget] : {std::pair{"whole", 4096}, {"pieces", 9}}) {
    const auto model = tiny_lora();
    auto config = quick();
    config.micro_tokens = budget;
    rlhf::Run run(scratch.run(name), "", {});
    train(*model, counting(16), config, {.write_model = write_nothing}, run);
  }
  const auto whole = metric(scratch, "whole", "loss"), pieces = metric(scratch, "pieces", "loss");
  ASSERT_EQ(whole.size(), 4u);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(whole[i], pieces[i], 1e-4) << i;
  EXPECT_NEAR(metric(scratch, "whole", "grad_norm")[0], metric(scratch, "pieces", "grad_norm")[0], 1e-3);
}

TEST(Sft, LearnsToCount) {
  const Scratch scratch;
  const auto model = tiny_model();
  auto config = quick();
  config.epochs = 15;
  rlhf::Run run(scratch.run("a"), "", {});
  train(*model, counting(20), config, {.write_model = write_nothing}, run);
  const auto loss = metric(scratch, "a", "loss"), accuracy = metric(scratch, "a", "mean_token_accuracy");
  EXPECT_GT(loss.front(), 3);
  EXPECT_LT(loss.back(), 0.5);
  EXPECT_GT(accuracy.back(), 0.9);
}

TEST(Sft, TrainsAdaptersOnlyWhereThereAreSome) {
  const Scratch scratch;
  const auto model = tiny_lora(), untouched = tiny_lora();
  rlhf::Run run(scratch.run("a"), "", {});
  train(*model, counting(8), quick(), {.write_model = write_nothing}, run);
  for (const auto& [name, weight] : untouched->weights()) EXPECT_TRUE(at::equal(weight, model->weights().at(name))) << name;
  EXPECT_FALSE(same_bits(models::lora_parameters(*model), models::lora_parameters(*untouched)));
  for (const auto& [name, tensor] : models::lora_parameters(*model)) EXPECT_FALSE(tensor.requires_grad());
}

TEST(Sft, ResumedIsUninterruptedToTheBit) {
  const Scratch scratch;
  auto config = quick();
  config.epochs = 2;
  const auto whole = tiny_lora();
  {
    rlhf::Run run(scratch.run("whole"), "", {});
    train(*whole, counting(14), config, {.write_model = write_nothing}, run);
  }
  {
    const auto model = tiny_lora();
    int polled = 0;
    rlhf::Run run(scratch.run("broken", false, [&] { return ++polled >= 3; }), "", {});
    EXPECT_LT(train(*model, counting(14), config, {.write_model = write_nothing}, run).steps, 8);
  }
  const auto resumed = tiny_lora();
  rlhf::Run run(scratch.run("broken", true), "", {});
  train(*resumed, counting(14), config, {.write_model = write_nothing}, run);
  EXPECT_TRUE(same_bits(models::lora_parameters(*whole), models::lora_parameters(*resumed)));
  EXPECT_EQ(scratch.text("whole/metrics.jsonl"), scratch.text("broken/metrics.jsonl"));
}

TEST(Sft, RefusesExamplesWithoutLoss) {
  const Scratch scratch;
  const auto model = tiny_model();
  rlhf::Run run(scratch.run("a"), "", {});
  const std::vector<data::Example> none{{.ids = {1, 2}, .mask = {1, 0}}};
  EXPECT_THROW(train(*model, none, quick(), {.write_model = write_nothing}, run), Error);
}

}  // namespace
}  // namespace rlhf::algorithms
