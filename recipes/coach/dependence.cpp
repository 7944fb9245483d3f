#include "recipes/coach/dependence.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "recipes/coach/grid_trainer.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/environments/grid.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/evaluation/rank_tests.h"

namespace rlhf::recipes {
namespace {

using algorithms::LiveSignal;
using algorithms::LiveStep;

double before_share(const algorithms::RehearsedConfig& config, const std::string& condition) {
  return condition == "improving" ? config.bad : condition == "steady" ? config.middling : config.good;
}

/// Reads what a session's steps and presses were: a learner that listens and learns nothing.
class Listener final : public algorithms::LiveLearner {
 public:
  data::Action act(const data::Array&) override { return std::int64_t{0}; }  // never asked: the log's actions are taken
  void observe(const LiveStep& step) override {
    if (step.last) ends_.push_back(step.end);
  }
  void signal(const LiveSignal& signal) override { said_.push_back(signal); }
  bool undo(std::int64_t id) override {
    return std::erase_if(said_, [id](const LiveSignal& signal) { return signal.id == id; }) > 0;
  }
  void interrupt() override {}
  void publish() override {}
  std::int64_t version() const override { return 0; }
  std::string state() const override { return {}; }

  /// Presses about what came after so many episodes.
  std::vector<LiveSignal> after(std::int64_t episodes, double delay) const {
    std::vector<LiveSignal> found;
    if (std::ssize(ends_) < episodes) return found;
    const double begin = ends_[static_cast<std::size_t>(episodes - 1)];
    for (const auto& signal : said_)
      if (signal.time - delay >= begin) found.push_back(signal);
    return found;
  }

 private:
  std::vector<double> ends_;  // of episodes
  std::vector<LiveSignal> said_;
};

/// What a log's name says; other sessions may lie beside those of the study.
std::string condition_of(const std::filesystem::path& log) {
  const auto name = log.stem().string();
  return name.substr(0, name.find('-'));
}

bool of_the_study(const std::filesystem::path& log) {
  const auto& known = dependence_conditions();
  return log.extension() == ".jsonl" && std::find(known.begin(), known.end(), condition_of(log)) != known.end();
}

std::vector<TrainerFeedback> feedback_in(const std::filesystem::path& folder, const DependenceConfig& config) {
  std::set<std::filesystem::path> logs;
  if (std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (of_the_study(entry.path())) logs.insert(entry.path());
  std::vector<TrainerFeedback> each;
  for (const auto& log : logs)
    if (auto one = judged_feedback(log, config); one.presses > 0) each.push_back(std::move(one));
  return each;
}

/// One simulated trainer's session.
void hold_session(const DependenceConfig& config, const std::string& condition, bool by_habit, std::uint64_t seed,
                  const std::filesystem::path& log, Run& run) {
  environments::Grid grid;
  algorithms::VirtualClock clock;
  algorithms::Rehearsed dog(grid.spec(), before_share(config.rehearsed, condition), config.rehearsed);
  GridTrainer trainer(clock, by_habit, config, seed, [&] { return run.stop_requested(); });
  run_session(grid, dog, trainer, clock, {.rate = config.rate, .seconds = 0, .seed = config.rehearsed.seed}, log);
}

}  // namespace

const std::vector<std::string>& dependence_conditions() {
  static const std::vector<std::string> names = {"improving", "steady", "degrading"};
  return names;
}

void DependenceConfig::fields(Fields& f) {
  f.field("trainers", trainers, "simulated, in each condition");
  f.field("judged", judged, "last episodes, whose feedback is compared");
  f.field("rate", rate, "steps a second");
  f.field("delay", delay, "seconds from a step to the press about it, of simulated trainers and in people's logs");
  f.field("comments", comments, "share of steps that a simulated trainer says something about");
  f.field("noise", noise, "standard deviation of what it says, in units of the advantage");
  f.field("memory", memory, "what remains of its impression of the dog after a step");
  f.group("rehearsed", rehearsed, "what the dogs do");
  f.field("logs", logs, "folder of people's sessions, <condition>-<anything>.jsonl; empty = simulated trainers");
}

void DependenceConfig::validate() const {
  require_setting(trainers >= 2, "trainers", "Give 2 or more.");
  require_setting(judged >= 1, "judged", "Give 1 or more episodes.");
  require_setting(rate > 0, "rate", "Give a rate above 0.");
  require_setting(delay >= 0, "delay", "Give 0 or more seconds.");
  require_setting(comments > 0 && comments <= 1, "comments", "Give a share above 0, at most 1.");
  require_setting(noise >= 0, "noise", "Give 0 or more.");
  require_setting(memory >= 0 && memory < 1, "memory", "Give a share from 0 to below 1.");
  rehearsed.validate();
}

TrainerFeedback judged_feedback(const std::filesystem::path& log, const DependenceConfig& config) {
  TrainerFeedback feedback{.condition = condition_of(log), .trainer = log.stem().string()};
  environments::Grid grid;
  Listener listener;
  relearn_session(grid, listener, log);
  for (const auto& signal : listener.after(config.rehearsed.episodes, config.delay)) {
    ++feedback.presses;
    feedback.mean += signal.value;
  }
  if (feedback.presses > 0) feedback.mean /= static_cast<double>(feedback.presses);
  return feedback;
}

void compare_conditions(const std::vector<TrainerFeedback>& feedback, const std::string& prefix,
                        nlohmann::json& results, Run& run) {
  std::vector<std::vector<double>> groups;
  std::vector<double> means;
  for (const auto& condition : dependence_conditions()) {
    auto& group = groups.emplace_back();
    for (const auto& one : feedback)
      if (one.condition == condition) group.push_back(one.mean);
    if (group.empty())
      throw Error({.category = Category::usage,
                   .where = "dependence.logs",
                   .what = "no log of the condition " + condition + " has feedback on the last episodes",
                   .fix = "Name logs <condition>-<anything>.jsonl, as `rlhf session --learner " + condition +
                          " --name " + condition + "-1` does."});
    double sum = 0;
    for (const double value : group) sum += value;
    means.push_back(sum / static_cast<double>(group.size()));
    results[prefix + condition] = means.back();
  }
  const auto all = evaluation::kruskal_wallis(groups);
  results[prefix + "h"] = all.statistic;
  results[prefix + "p"] = all.p;
  results[prefix + "ordered"] = means[0] > means[1] && means[1] > means[2] ? 1 : 0;
  constexpr std::pair<int, int> pairs[] = {{0, 1}, {1, 2}, {0, 2}};
  std::vector<double> p;
  for (const auto& [first, second] : pairs) p.push_back(evaluation::mann_whitney(groups[first], groups[second]).p);
  const auto adjusted = evaluation::holm(p);
  for (std::size_t i = 0; i < adjusted.size(); ++i)
    results[prefix + dependence_conditions()[pairs[i].first] + "_" + dependence_conditions()[pairs[i].second] + "_p"] =
        adjusted[i];
  run.note(
      fmt::format("{:<22} improving {:.3f}, steady {:.3f}, degrading {:.3f}; Kruskal-Wallis H {:.1f}, p {:.2g}; "
                  "pairs {:.2g}, {:.2g}, {:.2g}",
                  prefix, means[0], means[1], means[2], all.statistic, all.p, adjusted[0], adjusted[1], adjusted[2]));
}

bool run_dependence(const DependenceConfig& config, std::uint64_t seed, Run& run, nlohmann::json& results) {
  if (!config.logs.empty()) {
    compare_conditions(feedback_in(config.logs, config), "dependence_people_", results, run);
    return true;
  }
  for (const bool by_habit : {true, false}) {
    const std::string sort = by_habit ? "advantage" : "action";
    const auto folder = run.folder() / "dependence" / sort;
    std::filesystem::create_directories(folder);
    for (const auto& condition : dependence_conditions())
      for (std::int64_t i = 0; i < config.trainers; ++i) {
        if (run.stop_requested()) return false;
        const auto log = folder / fmt::format("{}-{}.jsonl", condition, i);
        const auto own = derive(seed, {hash(sort + condition), static_cast<std::uint64_t>(i)});
        hold_session(config, condition, by_habit, own, log, run);
      }
    if (run.stop_requested()) return false;
    compare_conditions(feedback_in(folder, config), "dependence_" + sort + "_", results, run);
  }
  return true;
}

}  // namespace rlhf::recipes
