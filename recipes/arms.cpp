#include "recipes/arms.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <mutex>
#include <thread>

#include "rlhf/core/clock.h"

namespace rlhf::recipes {
namespace {

struct Task {
  std::string arm;
  std::uint64_t seed = 0;
  std::string name() const { return fmt::format("{}-{}", arm, seed); }
};

/// Seed by seed, so that an interrupted study has all arms of the first ones.
std::vector<Task> tasks_of(const ArmsPlan& plan) {
  std::vector<Task> tasks;
  for (std::int64_t i = 0; i < plan.seeds; ++i)
    for (const auto& arm : plan.arms) tasks.push_back({arm, plan.first_seed + static_cast<std::uint64_t>(i)});
  return tasks;
}

/// The runs in turn, by as many threads as `jobs`.
class Study {
 public:
  Study(const ArmsPlan& plan, Run& run, const ArmSettings& settings, const ArmRun& one)
      : run_(run), settings_(settings), one_(one), aloud_(plan.aloud), tasks_(tasks_of(plan)), results_(tasks_.size()) {
    const auto cores = std::max<std::int64_t>(1, std::thread::hardware_concurrency());
    threads_ = std::min(plan.jobs > 0 ? plan.jobs : cores, std::ssize(tasks_));
  }

  std::optional<ArmsResult> run() {
    run_.progress().start("runs", std::ssize(tasks_));
    std::vector<std::jthread> threads;
    for (std::int64_t i = 0; i < threads_; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    run_.progress().finish();
    if (error_) std::rethrow_exception(error_);
    if (std::any_of(results_.begin(), results_.end(), [](const auto& each) { return !each; })) return std::nullopt;
    return collected();
  }

 private:
  bool stopping() const { return failed_ || run_.stop_requested(); }

  void work() {
    at::set_num_threads(1);  // of this thread: a small network gains nothing from a second core, a second run does
    while (!stopping()) {
      const auto index = next_++;
      if (index >= tasks_.size()) return;
      try {
        results_[index] = run_or_read(tasks_[index]);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        failed_ = true;
      }
    }
  }

  std::optional<nlohmann::json> run_or_read(const Task& task) {
    const auto folder = arm_folder(run_, task.arm, task.seed);
    if (std::ifstream file(folder / "results.json"); file) {
      run_.progress().advance();
      return nlohmann::json::parse(file);
    }
    const double begin = steady_seconds();
    Run part({.folder = folder,
              .resume = true,
              .keep_checkpoints = 1,
              .stop_requested = [this] { return stopping(); },
              .quiet = !aloud_},
             settings_(task.arm, task.seed), {{"arm", task.arm}, {"seed", task.seed}});
    auto numbers = one_(task.arm, task.seed, part);
    if (!numbers || stopping()) return std::nullopt;
    part.write_file("results.json", numbers->dump(2) + "\n");
    const std::lock_guard lock(mutex_);
    run_.progress().advance();
    run_.note(fmt::format("{:<28} {:5.0f} s  {}", task.name(), steady_seconds() - begin, numbers->dump()));
    return numbers;
  }

  ArmsResult collected() {
    ArmsResult result;
    auto rows = rows_of_other_arms();
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      result.runs[tasks_[i].arm].push_back(*results_[i]);
      nlohmann::json row = *results_[i];
      row["arm"] = tasks_[i].arm;
      row["seed"] = tasks_[i].seed;
      rows += row.dump() + "\n";
    }
    run_.write_file("arms.jsonl", rows);
    return result;
  }

  /// What another study of the same run has left in arms.jsonl.
  std::string rows_of_other_arms() const {
    std::string rows;
    std::ifstream file(run_.folder() / "arms.jsonl");
    for (std::string line; std::getline(file, line);) {
      const auto arm = nlohmann::json::parse(line).at("arm");
      const auto own = [&](const Task& task) { return task.arm == arm; };
      if (std::none_of(tasks_.begin(), tasks_.end(), own)) rows += line + "\n";
    }
    return rows;
  }

  Run& run_;
  const ArmSettings& settings_;
  const ArmRun& one_;
  bool aloud_;
  std::vector<Task> tasks_;
  std::vector<std::optional<nlohmann::json>> results_;
  std::int64_t threads_ = 1;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

std::vector<double> ArmsResult::values(const std::string& arm, const std::string& number) const {
  std::vector<double> found;
  if (const auto at = runs.find(arm); at != runs.end())
    for (const auto& each : at->second)
      if (each.contains(number) && each[number].is_number() && !std::isnan(each[number].get<double>()))
        found.push_back(each[number]);
  return found;
}

double ArmsResult::mean(const std::string& arm, const std::string& number) const {
  const auto each = values(arm, number);
  return each.empty() ? std::nan("") : interval(arm, number).mean;
}

evaluation::Interval ArmsResult::interval(const std::string& arm, const std::string& number) const {
  return evaluation::mean_over_runs(values(arm, number));
}

void ArmsResult::add_to(nlohmann::json& results, const std::string& number) const {
  for (const auto& [arm, each] : runs) {
    if (values(arm, number).empty()) continue;
    const auto over_seeds = interval(arm, number);
    results[arm + "_" + number] = over_seeds.mean;
    results[arm + "_" + number + "_low"] = over_seeds.low;
    results[arm + "_" + number + "_high"] = over_seeds.high;
  }
}

std::filesystem::path arm_folder(const Run& run, const std::string& arm, std::uint64_t seed) {
  return run.folder() / "arms" / fmt::format("{}-{}", arm, seed);
}

std::optional<ArmsResult> run_arms(const ArmsPlan& plan, Run& run, const ArmSettings& settings, const ArmRun& one) {
  auto first = plan;
  if (plan.afterwards) std::erase_if(first.arms, plan.afterwards);
  auto result = Study(first, run, settings, one).run();
  if (!result || first.arms.size() == plan.arms.size()) return result;
  return Study(plan, run, settings, one).run();  // finished runs are read
}

void gather_audits(const ArmsPlan& plan, Run& run) {
  std::string rows;
  for (const auto& arm : plan.arms)
    for (std::int64_t i = 0; i < plan.seeds; ++i) {
      const auto seed = plan.first_seed + static_cast<std::uint64_t>(i);
      std::ifstream file(arm_folder(run, arm, seed) / "audit.jsonl");
      for (std::string row; std::getline(file, row);) {
        auto one = nlohmann::json::parse(row);
        one["arm"] = arm;
        one["seed"] = seed;
        rows += one.dump() + "\n";
      }
    }
  if (!rows.empty()) run.write_file("audit.jsonl", rows);
}

}  // namespace rlhf::recipes
