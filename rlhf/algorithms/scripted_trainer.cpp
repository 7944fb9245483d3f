#include "rlhf/algorithms/scripted_trainer.h"

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/environments/mini_bowl.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::algorithms {
namespace {

/// At least half of what the best throw would fell.
bool fells_enough(environments::MiniBowlScene scene) {
  const int felled = pins_felled(scene);
  scene.aim = best_aim(scene);
  return 2 * felled >= pins_felled(scene);
}

}  // namespace

void TrainerHabits::validate() const {
  require_setting(comments >= 0 && comments <= 1, "comments", "Give a share from 0 to 1.");
  require_setting(mistakes >= 0 && mistakes <= 1, "mistakes", "Give a share from 0 to 1.");
  require_setting(delay >= 0, "delay", "Give 0 or more seconds.");
  require_setting(spread >= 0, "spread", "Give 0 or more seconds.");
}

Opinion expert_opinion(const environments::Spec& spec) {
  using environments::Environment;
  const auto agrees = [](auto wanted) {
    return [wanted](const Environment& before, std::int64_t action) {
      return wanted(before.observation()) == environments::Action(action) ? 1.0 : -1.0;
    };
  };
  if (spec.name == "mountain_car") return agrees(environments::rock_mountain_car);
  if (spec.name == "cart_pole") return agrees(environments::balance_cart_pole);
  if (spec.name == "mini_bowl")
    return [](const Environment& before, std::int64_t action) {
      const auto& scene = dynamic_cast<const environments::MiniBowl&>(before).now().now;
      if (scene.rolled > 0) return 0.0;  // nothing can be done any more
      const bool right =
          action == environments::bowl_throw ? fells_enough(scene) : action == environments::bowl_well(scene);
      return right ? 1.0 : -1.0;
    };
  throw Error({.category = Category::usage,
               .where = "environment",
               .what = "no trainer is built in that knows " + spec.name,
               .fix = "Take mountain_car, mini_bowl or cart_pole."});
}

ScriptedTrainer::ScriptedTrainer(SessionClock& clock, std::unique_ptr<environments::Environment> memory,
                                 Opinion opinion, std::uint64_t seed, TrainerHabits habits)
    : clock_(clock),
      memory_(std::move(memory)),
      opinion_(std::move(opinion)),
      random_(derive(seed, {hash("trainer")})),
      habits_(habits) {
  habits_.validate();
}

std::vector<Request> ScriptedTrainer::requests() {
  std::vector<Request> due;
  while (!coming_.empty() && coming_.begin()->first <= clock_.now()) {
    due.emplace_back(coming_.begin()->second);
    coming_.erase(coming_.begin());
  }
  return due;
}

void ScriptedTrainer::show(const View& view, const environments::Environment& environment) {
  auto seen = environment.state();
  // The end of an episode stays for a while, and a new one begins where nothing was done yet.
  const bool stepped = view.action && !before_.empty() && view.step > 1 && seen != before_;
  if (stepped && random_.uniform() < habits_.comments) {
    memory_->set_state(before_);
    if (const double value = opinion_(*memory_, std::get<std::int64_t>(*view.action)); value != 0) press(value);
  }
  before_ = std::move(seen);
}

void ScriptedTrainer::press(double value) {
  const double says = random_.uniform() < habits_.mistakes ? -value : value;
  const double reaction = habits_.delay - habits_.spread * std::log(random_.uniform() * random_.uniform());
  const double pressed = clock_.now() + reaction;
  coming_.emplace(pressed, feedback::Signal{.id = ++last_, .annotator = "script", .value = says, .pressed = pressed});
}

}  // namespace rlhf::algorithms
