#pragma once
#include <utility>
#include <vector>

#include "rlhf/algorithms/scripted_trainer.h"
#include "rlhf/environments/cart_pole.h"

namespace rlhf::algorithms {

/// Teaches CartPole, and remembers what it was told and shown.
struct CartPoleTrainer : ScriptedTrainer {
  CartPoleTrainer(SessionClock& clock, std::uint64_t seed, TrainerHabits habits = {})
      : ScriptedTrainer(clock, std::make_unique<environments::CartPole>(),
                        expert_opinion(environments::CartPole().spec()), seed, habits) {}

  std::vector<Request> requests() override {
    auto due = ScriptedTrainer::requests();
    auto all = std::exchange(extra, {});
    all.insert(all.end(), due.begin(), due.end());
    return all;
  }
  void acknowledge(std::int64_t id, Outcome outcome, std::int64_t) override { outcomes.emplace_back(id, outcome); }
  void show(const View& view, const environments::Environment& environment) override {
    views.push_back(view);
    ScriptedTrainer::show(view, environment);
  }

  std::vector<Request> extra;  // to be asked for at the next tick
  std::vector<std::pair<std::int64_t, Outcome>> outcomes;
  std::vector<View> views;
};

}  // namespace rlhf::algorithms
