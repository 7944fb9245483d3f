#include "rlhf/core/checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>

#include "rlhf/core/files.h"
#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const WriteModel write_model = [](const fs::path& folder) {
  write_file_atomic(folder / "config.json", "{}");
  write_file_atomic(folder / "model.safetensors", std::string(1000, 'w'));
};

State state_of(std::int64_t step) {
  State state;
  state.tensors["moment"] = at::full({2, 3}, static_cast<double>(step), at::kFloat);
  state.values["cursor"] = step;
  return state;
}

void write(const fs::path& folder, std::int64_t step, int keep = 2) {
  write_checkpoint(folder, {.step = step, .offsets = {{"metrics.jsonl", 10}}, .machine = {{"threads", 2}}}, write_model,
                   state_of(step), keep);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

struct Warnings {
  std::vector<std::string> lines;
  std::function<void(std::string_view)> sink() {
    return [this](std::string_view line) { lines.emplace_back(line); };
  }
};

void flip_a_bit(const fs::path& file) {
  auto bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(Checkpoint, ComesBackToTheBit) {
  const ScratchFolder folder;
  State state;
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  state.tensors = {{"a", at::tensor({1.1, nan, -0.0}, at::kDouble)},
                   {"half", at::tensor({0.1f, 3e-8f}).to(at::kBFloat16)},
                   {"ids", at::arange(5, at::kLong)},
                   {"mask", at::tensor({1, 0}).to(at::kBool)},
                   {"strided", at::arange(6, at::kFloat).view({2, 3}).t()},
                   {"empty", at::zeros({0, 3})},
                   {"scalar", at::scalar_tensor(2.5)}};
  state.values = {{"kl", 0.1},
                  {"best", -std::numeric_limits<double>::infinity()},
                  {"seed", 18446744073709551615U},
                  {"text", "\xff raw"},
                  {"list", {1, -2}},
                  {"none", nullptr}};
  write_checkpoint(folder.path(), {.step = 120, .offsets = {{"metrics.jsonl", 7}}, .machine = {{"threads", 2}}},
                   write_model, state, 2);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-000120"));
  EXPECT_EQ(fs::read_symlink(folder / "latest"), "step-000120");

  const auto [restored, record] = read_checkpoint(folder / "step-000120");
  EXPECT_EQ(restored.step, 120);
  EXPECT_EQ(record.offsets.at("metrics.jsonl"), 7U);
  EXPECT_EQ(record.machine["threads"], 2);
  EXPECT_EQ(restored.state.values, state.values);
  EXPECT_EQ(restored.state.tensors.size(), state.tensors.size());
  for (const auto& [name, tensor] : state.tensors) {
    const auto& again = restored.state.tensors.at(name);
    EXPECT_EQ(again.dtype(), tensor.dtype()) << name;
    EXPECT_EQ(again.sizes(), tensor.sizes()) << name;
    const auto expected = tensor.contiguous();
    EXPECT_EQ(std::memcmp(again.data_ptr(), expected.data_ptr(), expected.nbytes()), 0) << name;
  }
  EXPECT_TRUE(fs::exists(restored.model_folder / "model.safetensors"));
}

TEST(Checkpoint, KeepsTheNewest) {
  const ScratchFolder folder;
  for (const int step : {1, 2, 3, 1000000}) write(folder.path(), step);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-000003", "step-1000000"));
  write(folder.path(), 1000001, 1);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-1000001"));
}

TEST(Checkpoint, TheSameStepTwiceReplacesIt) {
  const ScratchFolder folder;
  write(folder.path(), 1);
  write(folder.path(), 1);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-000001"));
  EXPECT_EQ(damage(folder / "step-000001"), std::nullopt);
}

class DamagedCheckpoint : public ::testing::TestWithParam<std::pair<const char*, void (*)(const fs::path&)>> {};

TEST_P(DamagedCheckpoint, TheOneBeforeIsUsed) {
  const ScratchFolder folder;
  write(folder.path(), 10);
  write(folder.path(), 20);
  GetParam().second(folder / "step-000020");
  EXPECT_NE(damage(folder / "step-000020"), std::nullopt);
  EXPECT_EQ(error_of([&] { read_checkpoint(folder / "step-000020"); }).category(), Category::bad_data);
  Warnings warnings;
  const auto found = newest_checkpoint(folder.path(), warnings.sink());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first.step, 10);
  EXPECT_EQ(found->first.state.values["cursor"], 10);
  ASSERT_EQ(warnings.lines.size(), 1U);
  EXPECT_THAT(warnings.lines[0], HasSubstr("step-000020 is damaged"));
  EXPECT_EQ(fs::read_symlink(folder / "latest"), "step-000010");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("damaged-step-000020", "latest", "step-000010"));
  write(folder.path(), 20);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-000010", "step-000020"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, DamagedCheckpoint,
    ::testing::Values(
        std::pair{"truncated", +[](const fs::path& c) { fs::resize_file(c / "state/tensors.safetensors", 20); }},
        std::pair{"bit", +[](const fs::path& c) { flip_a_bit(c / "model.safetensors"); }},
        std::pair{"missing", +[](const fs::path& c) { fs::remove(c / "state/values.cbor"); }},
        std::pair{"no_manifest", +[](const fs::path& c) { fs::remove(c / "manifest.json"); }},
        std::pair{"half_a_manifest", +[](const fs::path& c) { fs::resize_file(c / "manifest.json", 100); }},
        std::pair{"empty_manifest", +[](const fs::path& c) { fs::resize_file(c / "manifest.json", 0); }}),
    [](const auto& info) { return std::string(info.param.first); });

TEST(Checkpoint, AllDamaged) {
  const ScratchFolder folder;
  write(folder.path(), 1);
  flip_a_bit(folder / "step-000001/model.safetensors");
  Warnings warnings;
  EXPECT_THAT(error_of([&] { newest_checkpoint(folder.path(), warnings.sink()); }).what(),
              HasSubstr("all 1 checkpoints are damaged"));
}

TEST(Checkpoint, NoneYet) {
  const ScratchFolder folder;
  Warnings warnings;
  EXPECT_FALSE(newest_checkpoint(folder / "no", warnings.sink()));
  EXPECT_FALSE(newest_checkpoint(folder.path(), warnings.sink()));
  EXPECT_THAT(warnings.lines, IsEmpty());
}

TEST(Checkpoint, AFailingWriterChangesNothing) {
  const ScratchFolder folder;
  write(folder.path(), 1);
  const WriteModel fails = [](const fs::path& model) {
    write_file_atomic(model / "part", "x");
    AppendFile("/dev/full").append("x");
  };
  const auto error =
      error_of([&] { write_checkpoint(folder.path(), {.step = 2, .offsets = {}, .machine = {}}, fails, State{}, 1); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_THAT(error.problem(), HasSubstr("the checkpoint was not written: /dev/full"));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-000001"));
  EXPECT_EQ(damage(folder / "step-000001"), std::nullopt);
}

TEST(Checkpoint, SpaceIsCheckedFirst) {
  const ScratchFolder folder;
  State state;
  state.tensors["huge"] = at::zeros({1}).expand({std::int64_t{1} << 59});  // 2 EiB, of which one number exists
  bool called = false;
  const auto error = error_of([&] {
    write_checkpoint(
        folder.path(), {.step = 2, .offsets = {}, .machine = {}}, [&](const fs::path&) { called = true; }, state, 1);
  });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_THAT(error.problem(), HasSubstr("a checkpoint needs 2.0 EiB"));
  EXPECT_FALSE(called);
}

// Killed in the middle: what was there stays, and the next one clears the rest away.
TEST(Checkpoint, AKilledProcessLeavesNoHalfCheckpoint) {
  const ScratchFolder folder;
  write(folder.path(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    const WriteModel dies = [](const fs::path& model) {
      std::ofstream(model / "model.safetensors") << "half";
      ::_exit(9);
    };
    write_checkpoint(folder.path(), {.step = 2, .offsets = {}, .machine = {}}, dies, State{}, 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 9);
  EXPECT_TRUE(fs::exists(folder / ".step-000002.tmp"));
  Warnings warnings;
  EXPECT_EQ(newest_checkpoint(folder.path(), warnings.sink())->first.step, 1);
  write(folder.path(), 2);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("latest", "step-000001", "step-000002"));
}

}  // namespace
}  // namespace rlhf
