#include "rlhf/core/run.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/seed.h"
#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

RunOptions in(const fs::path& folder, bool resume = false, bool overwrite = false) {
  return {.folder = folder, .resume = resume, .overwrite = overwrite, .stop_requested = {}, .quiet = true};
}

const WriteModel write_model = [](const fs::path& folder) { write_file_atomic(folder / "config.json", "{}"); };

struct WalkMetrics {
  Tensor position;
  void log(MetricRow& row) const {
    row.add("position", position);
    row.add("tokens_per_second/train", 123);
  }
};

// A training loop in small: a random walk that checkpoints every third step. `until`: killed after that step.
void walk(Run& run, int steps, int until) {
  Random random(derive(1, {}));
  auto position = at::zeros({}, at::kDouble);
  if (const auto& restored = run.restored()) {
    random = Random(restored->state.values["key"].get<std::uint64_t>(),
                    restored->state.values["position"].get<std::uint64_t>());
    position = restored->state.tensors.at("position").clone();
  }
  for (auto step = run.first_step(); step < steps && step <= until; ++step) {
    position = position + random.normal();
    run.report(step, WalkMetrics{position});
    run.sample({{"step", step}, {"text", "é \xff"}});
    if (step % 3 != 2) continue;
    State state;
    state.tensors["position"] = position;
    state.values = {{"key", random.key()}, {"position", random.position()}};
    run.checkpoint(step, write_model, state);
  }
}

std::vector<json> rows_of(const fs::path& file) {
  std::vector<json> rows;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  return rows;
}

std::string events_of(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) return read_file(entry.path());
  }
  return "";
}

TEST(Run, WritesItsFolder) {
  const ScratchFolder scratch;
  const auto folder = scratch / "deep/run";
  rlhf::Run run(in(folder), "clip = 0.2  # default\n", {{"algorithm", "walk"}, {"command", "rlhf train walk"}});
  EXPECT_EQ(run.first_step(), 0);
  EXPECT_FALSE(run.restored());
  EXPECT_FALSE(run.stop_requested());
  walk(run, 4, 100);
  run.note("a line");
  run.write_file("report.html", "<html>");
  MetricRow odd;
  odd.add("loss", std::nan(""));
  run.report(4, odd);

  EXPECT_EQ(read_file(folder / "config.toml"), "clip = 0.2  # default\n");
  EXPECT_EQ(read_file(folder / "report.html"), "<html>");
  const auto metrics = rows_of(folder / "metrics.jsonl");
  ASSERT_EQ(metrics.size(), 5U);
  EXPECT_EQ(metrics[2]["step"], 2);
  EXPECT_TRUE(metrics[2].contains("position"));
  EXPECT_TRUE(metrics[4]["loss"].is_null());
  for (const auto& row : metrics) EXPECT_FALSE(row.contains("tokens_per_second/train"));
  const auto timing = rows_of(folder / "timing.jsonl");
  EXPECT_EQ(timing[0]["tokens_per_second/train"], 123);
  EXPECT_TRUE(timing[0].contains("time/since_start"));
  EXPECT_EQ(rows_of(folder / "samples.jsonl")[0]["text"], "é \uFFFD");
  EXPECT_THAT(read_file(folder / "log.txt"), HasSubstr(" a line\n"));
  EXPECT_THAT(events_of(folder), HasSubstr("brain.Event:2"));
  EXPECT_EQ(fs::read_symlink(folder / "checkpoints/latest"), "step-000002");
  const auto about = json::parse(read_file(folder / "run.json"));
  EXPECT_EQ(about["algorithm"], "walk");
  EXPECT_EQ(about["starts"][0]["command"], "rlhf train walk");
  for (const char* key : {"binary", "torch", "cpu_features", "threads", "host", "release", "compiler"}) {
    EXPECT_TRUE(about["starts"][0]["machine"].contains(key)) << key;
  }
}

// Promise 4 of the design: stopped anywhere and resumed, the record is the same to the byte.
TEST(Run, AResumedRunEqualsAnUninterruptedOne) {
  const ScratchFolder scratch;
  {
    rlhf::Run whole(in(scratch / "whole"), "", {});
    walk(whole, 12, 100);
  }
  for (const int killed_after : {0, 2, 4, 7}) {
    const auto folder = scratch / ("killed" + std::to_string(killed_after));
    {
      rlhf::Run first(in(folder), "", {});
      walk(first, 12, killed_after);
    }
    {
      rlhf::Run second(in(folder, true), "", {});
      EXPECT_EQ(second.first_step(), (killed_after + 1) / 3 * 3);
      walk(second, 12, killed_after + 3);
    }
    rlhf::Run third(in(folder, true), "", {});
    walk(third, 12, 100);
    for (const char* file : {"metrics.jsonl", "samples.jsonl", "checkpoints/step-000011/state/tensors.safetensors",
                             "checkpoints/step-000011/state/values.cbor"}) {
      EXPECT_EQ(read_file(folder / file), read_file(scratch.path() / "whole" / file))
          << file << " killed after " << killed_after;
    }
    EXPECT_EQ(rows_of(folder / "timing.jsonl").size(), 12U);
    EXPECT_EQ(events_of(folder).size(), events_of(scratch / "whole").size());
    EXPECT_EQ(json::parse(read_file(folder / "run.json"))["starts"].size(), 3U);
    EXPECT_THAT(read_file(folder / "log.txt"), Not(HasSubstr("warning")));
  }
}

TEST(Run, ADamagedCheckpointFallsBackAndSaysSo) {
  const ScratchFolder scratch;
  {
    rlhf::Run run(in(scratch / "a"), "", {});
    walk(run, 6, 100);
  }
  fs::resize_file(scratch / "a/checkpoints/step-000005/state/tensors.safetensors", 9);
  rlhf::Run run(in(scratch / "a", true), "", {});
  EXPECT_EQ(run.first_step(), 3);
  EXPECT_EQ(rows_of(scratch / "a/metrics.jsonl").size(), 3U);
  EXPECT_THAT(read_file(scratch / "a/log.txt"),
              HasSubstr("warning: " + (scratch / "a/checkpoints/step-000005").string() + " is damaged"));
}

TEST(Run, ASecondProcessIsRefused) {
  const ScratchFolder scratch;
  const rlhf::Run run(in(scratch / "a"), "", {});
  const auto error = error_of([&] { rlhf::Run again(in(scratch / "a", true), "", {}); });
  EXPECT_EQ(error.category(), Category::usage);
  EXPECT_THAT(error.what(),
              HasSubstr("run folder " + (scratch / "a").string() + ": in use by pid " + std::to_string(::getpid())));
}

TEST(Run, AnExistingRunNeedsAWord) {
  const ScratchFolder scratch;
  {
    rlhf::Run run(in(scratch / "a"), "", {});
    walk(run, 3, 100);
  }
  { rlhf::Run inner(in(scratch / "a/inner"), "", {}); }
  { rlhf::Run arm(in(scratch / "a/arms/method-1"), "", {}); }
  std::ofstream(scratch / "a/arms/method-1/feedback.db") << "by people";
  std::ofstream(scratch / "a/labels.db") << "by hand";
  std::ofstream(scratch / "a/labels.cursor") << "7";
  std::ofstream(scratch / "a/notes.txt") << "mine";
  const auto error = error_of([&] { rlhf::Run again(in(scratch / "a"), "", {}); });
  EXPECT_EQ(error.category(), Category::usage);
  EXPECT_THAT(error.fix(), HasSubstr("--resume"));
  EXPECT_THAT(error_of([&] { rlhf::Run both(in(scratch / "a", true, true), "", {}); }).what(),
              HasSubstr("exclude each other"));
  rlhf::Run again(in(scratch / "a", false, true), "", {});
  EXPECT_EQ(again.first_step(), 0);
  EXPECT_EQ(read_file(scratch / "a/metrics.jsonl"), "");
  EXPECT_FALSE(fs::exists(scratch / "a/checkpoints"));
  EXPECT_FALSE(fs::exists(scratch / "a/labels.cursor"));
  EXPECT_FALSE(fs::exists(scratch / "a/inner"));
  EXPECT_FALSE(fs::exists(scratch / "a/arms")) << "a new study must not take the old one's results for its own";
  EXPECT_EQ(read_file(scratch / "a/arms.replaced-1/method-1/feedback.db"), "by people");
  EXPECT_FALSE(fs::exists(scratch / "a/labels.db")) << "a new run must not read the old one's labels";
  EXPECT_EQ(read_file(scratch / "a/labels.replaced-1.db"), "by hand") << "feedback may be a person's work";
  EXPECT_EQ(read_file(scratch / "a/notes.txt"), "mine") << "only what a run wrote may be deleted";
}

TEST(Run, AFolderOfSomethingElseIsLeftAlone) {
  const ScratchFolder scratch;
  std::ofstream(scratch / "thesis.tex") << "years of work";
  for (const bool overwrite : {false, true}) {
    EXPECT_THAT(error_of([&] { rlhf::Run run(in(scratch.path(), false, overwrite), "", {}); }).problem(),
                HasSubstr("no run is there"));
  }
  EXPECT_FALSE(fs::exists(scratch / ".rlhf.lock"));
}

TEST(Run, ChangedSettingsAndMachinesAreNoted) {
  const ScratchFolder scratch;
  {
    rlhf::Run run(in(scratch / "a"), "clip = 0.2  # default\n[kl]\ntarget = 6\n", {});
    walk(run, 3, 100);
  }
  rlhf::Run run(in(scratch / "a", true), "clip = 0.3  # flag\n[kl]\ntarget = 6\n", {});
  EXPECT_THAT(read_file(scratch / "a/log.txt"),
              HasSubstr("setting changed since the run began: /clip: 0.2 then, 0.3 now"));
  EXPECT_THAT(read_file(scratch / "a/log.txt"), Not(HasSubstr("kl")));
}

TEST(Run, AnUnfinishedStartCanBeResumed) {
  const ScratchFolder scratch;
  { const rlhf::Run run(in(scratch / "a"), "", {}); }
  fs::remove(scratch / "a/run.json");  // killed before it was written
  rlhf::Run run(in(scratch / "a", true), "", {});
  EXPECT_EQ(run.first_step(), 0);
}

TEST(Run, NotFiniteStopsAndDumps) {
  const ScratchFolder scratch;
  rlhf::Run run(in(scratch / "a"), "", {});
  bool dumped = false;
  const auto dump = [&] {
    dumped = true;
    State state;
    state.tensors["ids"] = at::tensor({1, 2, 3});
    return state;
  };
  run.require_finite(11, "loss", 0.5, dump);
  EXPECT_FALSE(dumped);
  const auto error = error_of([&] { run.require_finite(12, "loss", std::nan(""), dump); });
  EXPECT_EQ(error.where(), "step 12");
  EXPECT_EQ(error.problem(), "loss is nan");
  const auto file = scratch / "a/not-finite-step-000012.safetensors";
  EXPECT_THAT(error.fix(), HasSubstr(file.string()));
  EXPECT_EQ(SafetensorsFile::open(file).tensor("ids").size(0), 3);
  EXPECT_THAT(error_of([&] {
                run.require_finite(13, "kl", INFINITY, [&]() -> State {
                  AppendFile("/dev/full").append("x");
                  return {};
                });
              }).fix(),
              HasSubstr("could not be written"));
}

TEST(Run, StopIsPolled) {
  const ScratchFolder scratch;
  bool stop = false;
  auto options = in(scratch / "a");
  options.stop_requested = [&] { return stop; };
  const rlhf::Run run(std::move(options), "", {});
  EXPECT_FALSE(run.stop_requested());
  stop = true;
  EXPECT_TRUE(run.stop_requested());
}

TEST(Run, WrongOptions) {
  const ScratchFolder scratch;
  auto options = in(scratch / "a");
  options.keep_checkpoints = 0;
  EXPECT_THAT(error_of([&] { rlhf::Run run(options, "", {}); }).what(),
              HasSubstr("keep_checkpoints: expected at least 1; found 0"));
  EXPECT_EQ(error_of([&] { rlhf::Run run(in("/proc/run"), "", {}); }).category(), Category::resource);
  EXPECT_EQ(error_of([&] { rlhf::Run run(in(""), "", {}); }).category(), Category::usage);
}

}  // namespace
}  // namespace rlhf
