#pragma once
#include <functional>

#include "recipes/coach/dependence.h"
#include "rlhf/algorithms/session.h"
#include "rlhf/control/tabular.h"
#include "rlhf/environments/grid.h"

namespace rlhf::recipes {

/// Knows the grid by heart. What it says of a step is the step's advantage: over a dog as it is used to see, if
/// `by_habit`, else over the best there is. Says it on a scale of five buttons, -1 to 1, and stops the session after
/// the last episode that counts, or when `stop` says so.
class GridTrainer final : public algorithms::Audience {
 public:
  /// The clock and the settings have to outlive it.
  GridTrainer(algorithms::SessionClock& clock, bool by_habit, const DependenceConfig& config, std::uint64_t seed,
              std::function<bool()> stop);

  std::vector<algorithms::Request> requests() override;
  void acknowledge(std::int64_t, algorithms::Outcome, std::int64_t) override {}
  void show(const algorithms::View& view, const environments::Environment& environment) override;

 private:
  bool over() const;
  void judge(std::int64_t state, std::int64_t action);
  control::TabularPolicy habit() const;
  void say(double opinion);

  algorithms::SessionClock& clock_;
  bool by_habit_;
  const DependenceConfig& config_;
  Random random_;
  std::function<bool()> stop_;
  environments::Grid grid_;
  control::TabularWorld world_;
  std::vector<double> best_, expected_;  // values of the states: of the best policy, of the one it is used to
  double skill_ = 0.5;                   // how often the dog did one of the best things of late
  std::int64_t state_ = 0, step_ = 0, episodes_ = 0, last_ = 0;
  std::vector<feedback::Signal> coming_;
};

}  // namespace rlhf::recipes
