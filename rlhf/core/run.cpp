#include "rlhf/core/run.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/event_file.h"
#include "rlhf/core/files.h"
#include "rlhf/core/log.h"
#include "rlhf/core/machine.h"
#include "rlhf/core/run_folder.h"
#include "rlhf/core/safetensors.h"
#include "rlhf/core/toml_text.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Model output may hold any bytes, and JSON has no NaN: the one becomes U+FFFD, the other null.
std::string json_line(const nlohmann::ordered_json& row) {
  return row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string shown(std::string_view line, bool colour) {
  constexpr std::string_view warning = "warning: ";
  if (!colour || !line.starts_with(warning)) return std::string(line);
  return fmt::format("\x1b[33m{}\x1b[0m{}", warning, line.substr(warning.size()));
}

// The rows of one run, which a resumed run takes back to where they were at its checkpoint.
struct Streams {
  Streams(const fs::path& folder, const CheckpointRecord& record, const std::function<void(std::string_view)>& warn)
      : event_path(event_file_in(folder)),
        metrics(folder / "metrics.jsonl", kept(record, "metrics.jsonl")),
        timing(folder / "timing.jsonl", kept(record, "timing.jsonl")),
        samples(folder / "samples.jsonl", kept(record, "samples.jsonl")),
        events(event_path, kept(record, event_path.filename().string())) {
    const auto now = offsets();
    for (const auto& [name, offset] : record.offsets) {
      if (!now.contains(name) || now.at(name) < offset) warn(fmt::format("{} lost rows since the checkpoint", name));
    }
  }

  static std::uint64_t kept(const CheckpointRecord& record, const std::string& name) {
    const auto found = record.offsets.find(name);
    return found == record.offsets.end() ? 0 : found->second;
  }

  std::map<std::string, std::uint64_t> offsets() const {
    return {{"metrics.jsonl", metrics.size()},
            {"timing.jsonl", timing.size()},
            {"samples.jsonl", samples.size()},
            {event_path.filename().string(), events.size()}};
  }

  void sync() {
    for (AppendFile* file : {&metrics, &timing, &samples}) file->sync();
    events.sync();
  }

  fs::path event_path;
  AppendFile metrics, timing, samples;
  EventFile events;
};

// The settings that changed, without their origins.
std::vector<std::string> changed_settings(const std::string& before, const std::string& now) {
  const auto flat_before = toml_document(before, "config.toml").flatten();
  const auto flat_now = toml_document(now, "settings").flatten();
  return differences(flat_before, flat_now);
}

}  // namespace

struct Run::Parts {
  Parts(RunOptions given, Lock claimed)
      : options(std::move(given)),
        lock(std::move(claimed)),
        progress({.terminal = standard_error(), .quiet = options.quiet, .write = {}, .clock = {}}),
        log(options.folder / "log.txt", [this](std::string_view line) { progress.print(shown(line, colour)); }) {}

  RunOptions options;
  Lock lock;
  bool colour = standard_error().colour;
  Progress progress;
  Log log;
  std::optional<Restored> restored;
  std::optional<Streams> streams;
  double began = steady_seconds(), reported = began;

  void restore();
  void write_config(const std::string& config);
  void write_about(json about);
};

void Run::Parts::restore() {
  const auto warn = [this](std::string_view text) { log.warning(text); };
  CheckpointRecord record;
  if (auto found = newest_checkpoint(options.folder / "checkpoints", warn)) {
    restored = std::move(found->first);
    record = std::move(found->second);
    log.info(fmt::format("resuming after step {} from {}", restored->step, restored->model_folder.string()));
    for (const auto& line : differences(record.machine, exactness_of_machine())) {
      log.warning(fmt::format("the resumed run may differ in the last bits: {}", line));
    }
  } else if (options.resume) {
    log.info("there is no checkpoint yet: starting from the beginning");
  }
  streams.emplace(options.folder, record, warn);
}

void Run::Parts::write_config(const std::string& config) {
  const auto file = options.folder / "config.toml";
  if (options.resume && fs::exists(file)) {
    for (const auto& line : changed_settings(read_file(file), config))
      log.warning("setting changed since the run began: " + line);
  }
  write_file_atomic(file, config);
}

void Run::Parts::write_about(json about) {
  const auto file = options.folder / "run.json";
  json starts = json::array();
  if (options.resume && fs::exists(file)) {
    const auto before = json::parse(read_file(file), nullptr, false);
    if (before.is_object()) starts = before.value("starts", starts);
  }
  json start = {{"time", utc_now()}, {"machine", describe_machine()}, {"command", about.value("command", json())}};
  start["resumed_after_step"] = restored ? json(restored->step) : json();
  starts.push_back(std::move(start));
  about["format"] = 1;
  about["starts"] = std::move(starts);
  write_file_atomic(file, about.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

Run::Run(RunOptions options, std::string resolved_config_toml, json about) {
  if (options.keep_checkpoints < 1) {
    throw Error({.category = Category::usage,
                 .where = "keep_checkpoints",
                 .what = fmt::format("expected at least 1; found {}", options.keep_checkpoints),
                 .fix = ""});
  }
  if (!about.is_object()) about = {{"about", about}};
  auto lock = claim_run_folder(options.folder, options.resume, options.overwrite);
  parts_ = std::make_unique<Parts>(std::move(options), std::move(lock));
  parts_->restore();
  parts_->write_about(std::move(about));  // first: it marks the folder as a run
  parts_->write_config(resolved_config_toml);
}

Run::~Run() = default;

const fs::path& Run::folder() const { return parts_->options.folder; }
const std::optional<Restored>& Run::restored() const { return parts_->restored; }
std::int64_t Run::first_step() const { return parts_->restored ? parts_->restored->step + 1 : 0; }
Progress& Run::progress() { return parts_->progress; }
bool Run::stop_requested() const { return parts_->options.stop_requested && parts_->options.stop_requested(); }
void Run::note(std::string_view text) { parts_->log.info(text); }
void Run::warn(std::string_view text) { parts_->log.warning(text); }
void Run::write_file(const fs::path& name, std::string_view text) { write_file_atomic(folder() / name, text); }
void Run::sample(const json& row) { parts_->streams->samples.append(json_line(row)); }

void Run::report(std::int64_t step, const MetricRow& row) {
  auto values = row.values();
  const double now = steady_seconds();
  values.emplace_back("time/since_start", now - parts_->began);
  values.emplace_back("time/since_last_report", now - std::exchange(parts_->reported, now));
  nlohmann::ordered_json metrics = {{"step", step}}, timing = {{"step", step}};
  for (const auto& [name, value] : values) (is_measured(name) ? timing : metrics)[name] = value;
  parts_->streams->metrics.append(json_line(metrics));
  parts_->streams->timing.append(json_line(timing));
  parts_->streams->events.write(step, values);
}

void Run::checkpoint(std::int64_t step, const WriteModel& write_model, const State& state) {
  const double began = steady_seconds();
  auto& streams = *parts_->streams;
  streams.sync();
  const CheckpointRecord record{.step = step, .offsets = streams.offsets(), .machine = exactness_of_machine()};
  const auto folder = write_checkpoint(parts_->options.folder / "checkpoints", record, write_model, state,
                                       parts_->options.keep_checkpoints);
  note(fmt::format("checkpoint {} in {:.1f} s", folder.string(), steady_seconds() - began));
}

void Run::require_finite(std::int64_t step, std::string_view name, double value, const std::function<State()>& dump) {
  if (std::isfinite(value)) return;
  const auto file = folder() / fmt::format("not-finite-step-{:06}.safetensors", step);
  std::string where_it_is = fmt::format("What went into the step is in {}.", file.string());
  try {
    const auto state = dump();
    write_safetensors(
        file, state.tensors,
        {{"step", std::to_string(step)}, {"values", state.values.dump(-1, ' ', true, json::error_handler_t::replace)}});
  } catch (const Error& error) {
    where_it_is = fmt::format("What went into the step could not be written: {}", error.what());
  }
  const auto what = fmt::format("{} is {}", name, value);
  warn(fmt::format("step {}: {}", step, what));
  throw Error({.category = Category::failure,
               .where = fmt::format("step {}", step),
               .what = what,
               .fix = where_it_is + " A lower learning rate or gradient clipping may help."});
}

}  // namespace rlhf
