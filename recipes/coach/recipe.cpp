#include "recipes/coach/recipe.h"

#include <fmt/format.h>

#include "recipes/coach/change_of_mind.h"
#include "recipes/coach/dependence.h"
#include "recipes/coach/grid_study.h"
#include "recipes/coach/pursuit.h"
#include "recipes/config_job.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/run.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/grid.h"
#include "rlhf/evaluation/bootstrap.h"

namespace rlhf::recipes {
namespace coach_paper {
extern const std::string_view smoke_toml, small_toml, expected_json;
}
namespace {

struct GridConfig {
  StudyConfig study;
  std::int64_t seeds = 50;         // of the learners that are reported
  std::int64_t tuning_seeds = 10;  // others, on which each learner's rate is chosen
  std::vector<double> rates = {0.05, 0.1, 0.2, 0.5, 1.0};

  void fields(Fields& f) {
    f.field("episodes", study.episodes, "that a learner is taught");
    f.field("judged_episodes", study.judged_episodes, "the last ones, whose greedy returns count");
    f.field("seeds", seeds, "learners of each sort that are reported");
    f.field("tuning_seeds", tuning_seeds, "others, on which each sort's rate is chosen");
    f.field("rates", rates, "learning rates to choose from");
  }
  void validate() const {
    require_setting(study.judged_episodes >= 1 && study.judged_episodes <= study.episodes, "judged_episodes",
                    "Give 1 up to episodes.");
    require_setting(seeds >= 1, "seeds", "Give 1 or more.");
    require_setting(tuning_seeds >= 1, "tuning_seeds", "Give 1 or more.");
    require_setting(!rates.empty(), "rates", "Give one or more.");
  }
};

struct CoachPaperConfig {
  std::vector<std::int64_t> experiments = {1, 2, 3, 4};
  std::int64_t jobs = 0;  // runs at a time, each on one thread; 0 = one for each core
  std::uint64_t seed = 1;
  GridConfig grid;
  DependenceConfig dependence;
  PursuitConfig pursuit;
  ChangeOfMindConfig change;

  void fields(Fields& f) {
    f.field("experiments", experiments,
            "1 the grid study, 2 does feedback depend on the policy, 3 in real time, 4 from pictures, with a change of "
            "mind");
    f.field("jobs", jobs, "runs at a time, each on one thread; 0 = one for each core");
    f.field("seed", seed, "of the first run; the others count up");
    f.group("grid", grid, "experiment 1");
    f.group("dependence", dependence, "experiment 2");
    f.group("pursuit", pursuit, "experiment 3");
    f.group("change", change, "experiment 4");
  }
  void validate() const {
    for (const auto number : experiments)
      if (number < 1 || number > 4)
        throw Error({.category = Category::usage,
                     .where = "experiments",
                     .what = fmt::format("there is no experiment {}", number),
                     .fix = "Give some of 1, 2, 3 and 4."});
    grid.validate();
    dependence.validate();
    pursuit.validate();
    change.validate();
  }
};

struct Cell {
  evaluation::Interval mean_return;  // 1 = the best possible
  double rate = 0.0;
};

/// The rate that does best on the tuning seeds (the smallest of equals), then the learners that are reported.
Cell cell_of(const control::TabularWorld& world, Learner learner, FeedbackKind kind, const GridConfig& config,
             std::uint64_t seed) {
  const auto mean_of = [&](double rate, std::int64_t seeds, const char* use, std::vector<double>* each) {
    double sum = 0;
    for (std::int64_t i = 0; i < seeds; ++i) {
      const double one =
          taught(world, learner, kind, rate, derive(seed, {hash(use), static_cast<std::uint64_t>(i)}), config.study);
      if (each) each->push_back(one);
      sum += one;
    }
    return sum / static_cast<double>(seeds);
  };
  Cell cell;
  double best = -1e300;
  for (const double rate : config.rates)
    if (const double mean = mean_of(rate, config.tuning_seeds, "tuning", nullptr); mean > best) {
      best = mean;
      cell.rate = rate;
    }
  std::vector<double> returns;
  mean_of(cell.rate, config.seeds, "reported", &returns);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < returns.size(); ++i) ids.push_back(std::to_string(i));
  cell.mean_return = evaluation::bootstrap_mean(returns, ids);
  return cell;
}

constexpr std::pair<Learner, const char*> learners[] = {
    {Learner::q_learning, "q_learning"}, {Learner::tamer, "tamer"}, {Learner::coach, "coach"}};
constexpr std::pair<FeedbackKind, const char*> kinds[] = {
    {FeedbackKind::task, "task"}, {FeedbackKind::action, "action"}, {FeedbackKind::improvement, "improvement"}};

/// The paper's grid study: three learners, three kinds of feedback.
bool run_grid(const GridConfig& config, std::uint64_t seed, Run& run, nlohmann::json& results) {
  environments::Grid grid({.columns = config.study.columns, .rows = config.study.rows});
  const auto world = control::tabulate_grid(grid, config.study.columns, config.study.rows);
  for (const auto& [learner, learner_name] : learners)
    for (const auto& [kind, kind_name] : kinds) {
      if (run.stop_requested()) return false;
      const auto cell = cell_of(world, learner, kind, config, seed);
      const auto name = fmt::format("{}_{}", learner_name, kind_name);
      results[name] = cell.mean_return.mean;
      results[name + "_low"] = cell.mean_return.low;
      results[name + "_high"] = cell.mean_return.high;
      results[name + "_rate"] = cell.rate;
      run.note(fmt::format("{:<11} {:<12} {:6.3f} [{:.3f}, {:.3f}]  rate {}", learner_name, kind_name,
                           cell.mean_return.mean, cell.mean_return.low, cell.mean_return.high, cell.rate));
    }
  return true;
}

bool run_experiment(std::int64_t number, const CoachPaperConfig& config, Run& run, nlohmann::json& results) {
  if (number == 1) return run_grid(config.grid, config.seed, run, results);
  if (number == 2) return run_dependence(config.dependence, config.seed, run, results);
  if (number == 3) return run_pursuit(config.pursuit, config.jobs, config.seed, run, results);
  return run_change_of_mind(config.change, config.jobs, config.seed, run, results);
}

void run_recipe(const CoachPaperConfig& config, Run& run) {
  nlohmann::json results;
  for (const auto number : config.experiments)
    if (!run_experiment(number, config, run, results)) return;
  run.write_file("results.json", results.dump(2) + "\n");
}

}  // namespace

Recipe coach() {
  return {.title = "Interactive Learning from Policy-Dependent Human Feedback (MacGlashan et al. 2017)",
          .claim = "Feedback that says whether an action is better than what the learner usually does teaches COACH, "
                   "and neither Q-learning nor TAMER; in real time it takes the right delay and traces.",
          .presets = {{"smoke", coach_paper::smoke_toml}, {"small", coach_paper::small_toml}},
          .expected = coach_paper::expected_json,
          .make = job_of(run_recipe)};
}

}  // namespace rlhf::recipes
