#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/core/checkpoint.h"
#include "rlhf/core/metrics.h"
#include "rlhf/core/progress.h"

namespace rlhf {

struct RunOptions {
  std::filesystem::path folder;
  bool resume = false;       // go on from the newest whole checkpoint; from the start if there is none
  bool overwrite = false;    // delete what an earlier run wrote there; its feedback (*.db) is set aside, the rest stays
  int keep_checkpoints = 2;  // at least 1
  std::function<bool()> stop_requested;  // polled; the library installs no signal handlers
  bool quiet = false;                    // nothing on standard error
};

/// The folder of one run, locked against other processes:
///
///   config.toml  run.json  metrics.jsonl  timing.jsonl  samples.jsonl  log.txt  events.out.tfevents.*
///   checkpoints/step-000120/ (a loadable model folder + state/ + manifest.json)   checkpoints/latest
///
/// Resuming restores the step and the State to the bit and cuts the streams back to where they were at the checkpoint,
/// so that metrics.jsonl and samples.jsonl of a resumed run equal those of an uninterrupted one (timing.jsonl, wall
/// times in the event file and log.txt do not). If binary, CPU features or threads differ from those of the checkpoint,
/// it says so.
class Run {
 public:
  /// `about` is stored in run.json: {"algorithm": "ppo", ...}; `about["command"]`, if given, is the command line.
  /// Throws Error(usage) if the folder is another run's and neither resume nor overwrite is set, if it holds something
  /// that is no run, or if another process has it.
  Run(RunOptions options, std::string resolved_config_toml, nlohmann::json about);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  const std::filesystem::path& folder() const;
  /// 0, or the step after the restored checkpoint.
  std::int64_t first_step() const;
  const std::optional<Restored>& restored() const;

  template <class Metrics>
    requires requires(const Metrics& metrics, MetricRow& row) { metrics.log(row); }
  void report(std::int64_t step, const Metrics& metrics) {
    MetricRow row;
    metrics.log(row);
    report(step, row);
  }
  /// Reads the row's tensors and writes it to metrics.jsonl, timing.jsonl and the TensorBoard file.
  void report(std::int64_t step, const MetricRow& row);
  /// One line of samples.jsonl.
  void sample(const nlohmann::json& row);
  /// A line for log.txt and people.
  void note(std::string_view text);
  void warn(std::string_view text);
  /// Writes folder()/name, whole or not at all.
  void write_file(const std::filesystem::path& name, std::string_view text);

  /// See write_checkpoint. Step n is the last step whose effect is in it; resuming starts at n + 1.
  void checkpoint(std::int64_t step, const WriteModel& write_model, const State& state);

  /// Stops the run when `value` is NaN or infinite: writes `dump()` to folder()/not-finite-step-000012.safetensors and
  /// throws Error(failure) naming the step and that file.
  void require_finite(std::int64_t step, std::string_view name, double value, const std::function<State()>& dump);

  /// Has the user asked to stop? A loop then writes a checkpoint and returns.
  bool stop_requested() const;
  Progress& progress();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rlhf
