// Drawing minibatches: where windows begin, how far they reach, and what their steps are worth.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "rlhf/control/detail/rows.h"
#include "rlhf/control/replay.h"
#include "rlhf/core/error.h"

namespace rlhf::control {

/// One window: the places of its steps and what each of their rewards counts.
struct Replay::Walk {
  std::vector<std::int64_t> places;
  std::vector<double> factors;
  double discount = 1;  // of what follows
};

bool Replay::ready(std::int64_t rows) const { return beginnings() >= rows; }

std::int64_t Replay::draw(Random& random) const {
  if (config_.prioritised) return priorities_.find(random.uniform() * priorities_.total());
  const auto at = random.below(beginnings()), of_agents = at - kept_;
  return of_agents < 0 ? at : place_of(slot_of(of_agents / environments_), of_agents % environments_);
}

Replay::Walk Replay::walk(std::int64_t place, std::int64_t steps) const {
  Walk walk;
  const auto* ends = ends_.const_data_ptr<std::uint8_t>();
  for (;;) {
    walk.places.push_back(place);
    walk.factors.push_back(walk.discount);
    walk.discount *= config_.gamma;
    if (ends[place] == terminated) walk.discount = 0;
    if (ends[place] != goes_on || std::ssize(walk.places) == steps) return walk;
    if (place < kept_) {
      ++place;
    } else {
      const auto at = place - kept_;
      place = place_of((at / environments_ + 1) % slots_, at % environments_);
    }
  }
}

/// Rewards that the present model has not given yet are asked for, all at once.
void Replay::ask_for(const std::vector<Walk>& walks) const {
  const auto version = source_.version ? source_.version() : 0;
  std::vector<std::int64_t> places;
  for (const auto& walk : walks)
    for (const auto place : walk.places) {
      auto& known = versions_[static_cast<std::size_t>(place)];
      if (known == version) continue;
      known = version;
      places.push_back(place);
    }
  if (places.empty()) return;
  const auto count = std::ssize(places);
  const AskedSteps steps{.observations = observations_.rows(count),
                         .actions = rows_like(actions_, count),
                         .next_observations = observations_.rows(count)};
  for (std::int64_t row = 0; row < count; ++row) {
    const auto place = places[static_cast<std::size_t>(row)];
    copy_seen(place, steps.observations, row);
    copy_rows(actions_, place, steps.actions, row);
    copy_after(place, steps.next_observations, row);
  }
  const auto answered = source_.reward(steps).to(at::kFloat).contiguous();
  for (std::int64_t row = 0; row < count; ++row)
    answers_[static_cast<std::size_t>(places[static_cast<std::size_t>(row)])] = answered.const_data_ptr<float>()[row];
}

Tensor Replay::rewards_of(const std::vector<Walk>& walks) const {
  auto rewards = at::empty({std::ssize(walks)}, at::kFloat);
  const auto* given = source_.reward ? answers_.data() : rewards_.const_data_ptr<float>();
  for (std::size_t row = 0; row < walks.size(); ++row) {
    double sum = 0;
    for (std::size_t k = 0; k < walks[row].places.size(); ++k)
      sum += walks[row].factors[k] * given[walks[row].places[k]];
    rewards.mutable_data_ptr<float>()[row] = static_cast<float>(sum);
  }
  return rewards;
}

/// A minibatch's tensors, not filled yet.
Transitions Replay::room_for(std::int64_t rows) const {
  Transitions batch{.observations = observations_.rows(rows),
                    .actions = rows_like(actions_, rows),
                    .rewards = {},
                    .next_observations = observations_.rows(rows),
                    .discounts = at::empty({rows}, at::kFloat),
                    .weights = at::ones({rows}, at::kFloat),
                    .places = at::empty({rows}, at::kLong)};
  if (kept_ > 0) batch.demonstrated = at::zeros({rows}, at::kFloat);
  if (config_.first_steps)
    batch.first = {.next_observations = observations_.rows(rows), .discounts = at::empty({rows}, at::kFloat)};
  return batch;
}

Transitions Replay::sample(std::int64_t rows, Random& random, double progress) const {
  if (!ready(1))
    throw Error(
        {.category = Category::usage, .where = "replay", .what = "nothing is remembered yet", .fix = "Act first."});
  auto batch = room_for(rows);
  std::vector<Walk> walks, firsts;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto place = draw(random);
    copy_seen(place, batch.observations, row);
    copy_rows(actions_, place, batch.actions, row);
    batch.places.mutable_data_ptr<std::int64_t>()[row] = place;
    if (place < kept_) batch.demonstrated.mutable_data_ptr<float>()[row] = 1;
    const auto& way = walks.emplace_back(walk(place, config_.steps));
    copy_after(way.places.back(), batch.next_observations, row);
    batch.discounts.mutable_data_ptr<float>()[row] = static_cast<float>(way.discount);
    if (!config_.first_steps) continue;
    const auto& first = firsts.emplace_back(walk(place, 1));
    copy_after(place, batch.first.next_observations, row);
    batch.first.discounts.mutable_data_ptr<float>()[row] = static_cast<float>(first.discount);
  }
  if (source_.reward) ask_for(walks);
  batch.rewards = rewards_of(walks);
  if (config_.first_steps) batch.first.rewards = rewards_of(firsts);
  if (config_.prioritised) weigh(batch, progress);
  return batch;
}

/// Undoes what drawing by priority did to the mean, more and more.
void Replay::weigh(Transitions& batch, double progress) const {
  const double beta = config_.beta + (config_.beta_end - config_.beta) * progress,
               count = static_cast<double>(beginnings());
  auto* weights = batch.weights.mutable_data_ptr<float>();
  double largest = 0;
  for (std::int64_t row = 0; row < batch.places.numel(); ++row) {
    const double chance = priorities_[batch.places.const_data_ptr<std::int64_t>()[row]] / priorities_.total();
    const double weight = std::pow(count * chance, -beta);
    weights[row] = static_cast<float>(weight);
    largest = std::max(largest, weight);
  }
  batch.weights.div_(largest);
}

}  // namespace rlhf::control
