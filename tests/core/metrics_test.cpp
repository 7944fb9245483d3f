#include "rlhf/core/metrics.h"

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/event_file.h"
#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(MetricRow, KeepsOrderAndReadsLate) {
  auto kl = at::scalar_tensor(1.0, at::kFloat);
  MetricRow row;
  row.add("objective/kl", kl);
  row.add("accuracy", 0.5);
  kl.fill_(2);  // read only when the row is written
  EXPECT_THAT(row.values(), ElementsAre(Pair("objective/kl", 2.0), Pair("accuracy", 0.5)));
}

TEST(MetricRow, WantsOneNumber) {
  MetricRow row;
  row.add("loss", at::zeros({2}));
  EXPECT_THAT(error_of([&] { row.values(); }).what(),
              HasSubstr("metric loss: expected one number; found a tensor of 2 elements"));
  MetricRow empty;
  empty.add("loss", Tensor());
  EXPECT_THAT(error_of([&] { empty.values(); }).what(), HasSubstr("no tensor"));
}

TEST(Metrics, WhatDependsOnTheClock) {
  EXPECT_TRUE(is_measured("time/step"));
  EXPECT_TRUE(is_measured("tokens_per_second/rollout"));
  EXPECT_TRUE(is_measured("mem/peak"));
  EXPECT_TRUE(is_measured("step_time"));
  EXPECT_FALSE(is_measured("loss"));
  EXPECT_FALSE(is_measured("memory_of_the_policy"));
}

// RFC 3720, B.4.
TEST(EventFile, Crc32c) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

// tests/reference/core/make_event_file.py wrote the file with TensorBoard's own writer.
TEST(EventFile, EqualsTensorBoardsBytes) {
  using Scalars = std::vector<std::pair<std::string, double>>;
  const auto golden = read_file(RLHF_SOURCE_DIR "/tests/reference/core/event_file.tfevents");
  const auto ours =
      tfrecord(first_event(1700000000.25)) + tfrecord(scalar_event(1700000001.5, 0, Scalars{{"loss", 0.6931472}})) +
      tfrecord(scalar_event(1700000002.5, 300,
                            Scalars{{"loss", 0.5}, {"objective/kl", -1e-6}, {"zero", 0.0}, {"bad", std::nan("")}}));
  EXPECT_EQ(ours, golden);
}

TEST(EventFile, GoesOnWhereItWasCut) {
  const ScratchFolder folder;
  const std::vector<std::pair<std::string, double>> loss = {{"loss", 1.0}};
  const auto path = folder / event_file_name(1700000000, "host");
  EXPECT_EQ(path.filename(), "events.out.tfevents.1700000000.host");
  std::uint64_t kept = 0;
  {
    EventFile file(path, 0);
    file.write(1, loss);
    kept = file.size();
    file.write(2, loss);
  }
  EventFile file(path, kept);
  EXPECT_EQ(file.size(), kept);
  EXPECT_EQ(std::filesystem::file_size(path), kept);
}

}  // namespace
}  // namespace rlhf
