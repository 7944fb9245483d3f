#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "rlhf/algorithms/session.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::algorithms {

struct TrainerHabits {
  double comments = 0.25;  // share of steps it says something about
  double mistakes = 0.05;  // share of comments with the wrong sign
  double delay = 0.3;      // s, the shortest reaction; a random time with mean 2 * spread comes on top
  double spread = 0.15;    // s
};

/// Watches CartPole as people do: sees the picture, reacts late, is sometimes wrong. It calls an action good when the
/// balancing controller would have done the same.
class ScriptedTrainer : public Audience {
 public:
  ScriptedTrainer(SessionClock& clock, std::uint64_t seed, TrainerHabits habits = {})
      : clock_(clock), random_(derive(seed, {hash("trainer")})), habits_(habits) {}

  std::vector<Request> requests() override {
    std::vector<Request> due = std::exchange(extra, {});
    while (!coming_.empty() && coming_.begin()->first <= clock_.now()) {
      due.push_back(coming_.begin()->second);
      coming_.erase(coming_.begin());
    }
    return due;
  }

  void acknowledge(std::int64_t id, Outcome outcome, std::int64_t) override { outcomes.emplace_back(id, outcome); }

  void show(const View& view, const environments::Environment& environment) override {
    views.push_back(view);
    const auto seen = dynamic_cast<const environments::CartPole&>(environment).now();
    const bool stepped = view.action && view.step > 1 && !(seen == before_);
    if (stepped && random_.uniform() < habits_.comments) judge(std::get<std::int64_t>(*view.action));
    before_ = seen;
  }

  std::vector<Request> extra;  // to be asked for at the next tick
  std::vector<std::pair<std::int64_t, Outcome>> outcomes;
  std::vector<View> views;

 private:
  void judge(std::int64_t action) {
    const std::vector<float> numbers = {float(before_.position), float(before_.velocity), float(before_.angle),
                                        float(before_.angular_velocity)};
    const bool right = environments::balance_cart_pole(numbers) == environments::Action(action);
    const bool says = right != (random_.uniform() < habits_.mistakes);
    const double reaction = habits_.delay - habits_.spread * std::log(random_.uniform() * random_.uniform());
    const double pressed = clock_.now() + reaction;
    coming_.emplace(pressed, feedback::Signal{
                                 .id = ++last_, .annotator = "script", .value = says ? 1.0 : -1.0, .pressed = pressed});
  }

  SessionClock& clock_;
  Random random_;
  TrainerHabits habits_;
  environments::CartPoleState before_;
  std::multimap<double, feedback::Signal> coming_;
  std::int64_t last_ = 0;
};

}  // namespace rlhf::algorithms
