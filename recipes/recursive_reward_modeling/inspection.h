#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rlhf/control/reward_ensemble.h"
#include "rlhf/core/seed.h"
#include "rlhf/feedback/assisted.h"
#include "rlhf/feedback/labeler.h"

namespace rlhf::recipes {

/// A spot of an output where something may be wrong. Whether it is shows only when it is looked at.
struct Place {
  std::string name;             // "F7", "line 4"
  std::vector<float> features;  // what the system knows without looking: a helper reads nothing else
  bool fault = false;
  std::int64_t begin = 0, end = 0;  // code points of the output's text
};

/// What an agent made: a route, a page of sums.
struct Output {
  std::string text;  // as people see it
  std::vector<Place> places;
  double visible = 0.0;  // its score as far as anybody sees it without looking anywhere
  double truth = 0.0;    // its true score: for the oracle and for measurement
  Tensor inputs;         // [steps, width] what the reward model reads
};

/// What a look showed: a statement about a passage, and how many faults it speaks of.
struct Finding {
  std::string text;
  int faults = 0;
  std::int64_t begin = 0, end = 0;
};

/// One way to evaluate outputs.
struct Condition {
  std::string name;
  feedback::Helper helper;  // "" = nobody
  std::function<std::vector<Finding>(const Output& output, Random& random)> look;
  bool oracle = false;  // judged by the true score, without looking
};

/// Looks at `places` of an output, by index.
std::vector<Finding> findings_at(const Output& output, std::span<const std::int64_t> places, const char* fault,
                                 const char* clear);

/// `count` different places, drawn by lot; all of them where there are fewer.
std::vector<std::int64_t> drawn_by_lot(const Output& output, std::int64_t count, Random& random);

/// Two outputs to compare under a condition: a question of the form hinted_comparison whose hints are the findings, the
/// outputs' in turns. What is looked at is a function of (seed, condition, pair).
feedback::Question question_of(const std::string& stage, const std::string& pair, const Output& first,
                               const Output& second, const Condition& condition, std::uint64_t seed);

/// How far the first output is ahead by what a question shows: visible scores less what the faults found cost.
double shown_difference(const feedback::Question& question, double fault_cost);

/// An evaluator with limits: sees the visible scores, opens every hint of the budget, takes off what each fault found
/// costs, marks hints that led nowhere as wrong, and is mistaken in `error_rate` of the answers. Where both come out
/// equal a coin decides. Of a question of an oracle condition it knows the true scores and errs never. The answer is a
/// function of (seed, question id) and of what the question shows. Several threads may ask it.
struct EvaluatorConfig {
  double error_rate = 0.05;
  double fault_cost = 5.0;
  std::uint64_t seed = 0;
};
std::unique_ptr<feedback::Labeler> make_evaluator(const EvaluatorConfig& config);

/// Publishes the questions, has the evaluator answer those that are open, on several threads, and returns the answers
/// in the same order: is the first item better? Nothing when asked to stop.
std::optional<std::vector<bool>> ask_all(feedback::Store& store, const std::vector<feedback::Question>& questions,
                                         feedback::Labeler& evaluator, const std::function<bool()>& stop_requested);

}  // namespace rlhf::recipes
