#include "rlhf/control/replay.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

constexpr std::uint8_t goes_on = 0, terminated = 1, cut_off = 2;

Tensor ring_of(const Tensor& one, std::int64_t slots) {
  auto shape = one.sizes().vec();
  shape.insert(shape.begin(), slots);
  return at::zeros(shape, one.options());
}

/// Copies row `from` of one tensor to row `to` of another; both [rows, ...] of equal rows, in plain memory.
void copy_row(const Tensor& source, std::int64_t from, const Tensor& target, std::int64_t to, std::size_t bytes) {
  std::memcpy(static_cast<char*>(target.mutable_data_ptr()) + static_cast<std::size_t>(to) * bytes,
              static_cast<const char*>(source.const_data_ptr()) + static_cast<std::size_t>(from) * bytes, bytes);
}

Tensor rows_like(const Tensor& ring, std::int64_t rows) {
  auto shape = ring.sizes().vec();
  shape.erase(shape.begin());
  shape[0] = rows;
  return at::empty(shape, ring.options());
}

}  // namespace

void ReplayConfig::fields(Fields& f) {
  f.field("capacity", capacity, "transitions kept, the newest");
  f.field("steps", steps, "n of n-step returns");
  f.field("gamma", gamma, "discount per step, 0..1");
  f.field("prioritised", prioritised, "draw what surprised most the oftenest");
  f.field("alpha", alpha, "how much priorities count; 0 = uniform");
  f.field("beta", beta, "how much of the priorities' bias is weighed out at the start; it rises to 1");
  f.field("epsilon", epsilon, "added to the size of an error");
}

void ReplayConfig::validate() const {
  const auto require = [](bool holds, const char* field, const char* fix) {
    if (!holds) throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
  };
  require(capacity >= 1, "capacity", "Keep 1 or more.");
  require(steps >= 1, "steps", "Give 1 or more.");
  require(gamma >= 0 && gamma <= 1, "gamma", "Give a number from 0 to 1.");
  require(alpha >= 0 && alpha <= 1, "alpha", "Give a number from 0 to 1.");
  require(beta >= 0 && beta <= 1, "beta", "Give a number from 0 to 1.");
  require(epsilon > 0, "epsilon", "Give a positive number.");
}

Replay::Replay(const environments::Spec& spec, std::int64_t environments, const ReplayConfig& config)
    : spec_(spec), environments_(environments), slots_(config.capacity / environments), config_(config) {
  config.validate();
  if (slots_ < config.steps)
    throw Error({.category = Category::usage,
                 .where = "capacity",
                 .what = fmt::format("{} transitions of {} environments hold no window of {} steps", config.capacity,
                                     environments, config.steps),
                 .fix = "Keep more."});
  if (!config.prioritised) return;
  leaves_ = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(slots_ * environments_)));
  tree_.assign(static_cast<std::size_t>(2 * leaves_), 0.0);
}

void Replay::add(const Tensor& observations, const Tensor& actions, const environments::VectorStep& step) {
  if (!observations_.defined()) {
    observations_ = ring_of(observations, slots_);
    actions_ = ring_of(actions, slots_);
    rewards_ = at::zeros({slots_, environments_}, at::kFloat);
    ends_ = at::zeros({slots_, environments_}, at::kByte);
  }
  const auto slot = slot_of(size_ == slots_ ? 0 : size_);
  if (size_ == slots_)
    head_ = (head_ + 1) % slots_;
  else
    ++size_;
  copy_row(observations, 0, observations_, slot, observations.nbytes());
  copy_row(actions.contiguous(), 0, actions_, slot, actions.nbytes());
  current_ = step.observations.clone();
  const auto final_bytes = observations.nbytes() / static_cast<std::size_t>(environments_);
  for (std::int64_t env = 0; env < environments_; ++env) {
    const auto place = slot * environments_ + env;
    rewards_.mutable_data_ptr<float>()[place] = static_cast<float>(step.rewards.const_data_ptr<double>()[env]);
    const bool ended = step.terminated.const_data_ptr<bool>()[env], late = step.truncated.const_data_ptr<bool>()[env];
    ends_.mutable_data_ptr<std::uint8_t>()[place] = ended ? terminated : late ? cut_off : goes_on;
    finals_.erase(place);
    if (ended || late) {
      auto row = at::empty(observations[0].sizes(), observations.options());
      copy_row(step.final_observations, env, row, 0, final_bytes);
      finals_[place] = row;
    }
    if (!config_.prioritised) continue;
    set_priority(place, 0);
    // A window can begin here once all of it has been seen.
    if (windows() > 0) set_priority(slot_of(windows() - 1) * environments_ + env, largest_);
  }
}

bool Replay::ready(std::int64_t rows) const { return windows() * environments_ >= rows; }

std::int64_t Replay::draw(Random& random) const {
  if (!config_.prioritised) {
    const auto at = random.below(windows() * environments_);
    return slot_of(at / environments_) * environments_ + at % environments_;
  }
  double left = random.uniform() * tree_[1];
  std::int64_t node = 1;
  while (node < leaves_) {
    node *= 2;
    if (left >= tree_[static_cast<std::size_t>(node)] && tree_[static_cast<std::size_t>(node + 1)] > 0)
      left -= tree_[static_cast<std::size_t>(node++)];
  }
  return node - leaves_;
}

void Replay::set_priority(std::int64_t place, double value) {
  auto node = static_cast<std::size_t>(leaves_ + place);
  tree_[node] = value;
  while (node /= 2) tree_[node] = tree_[2 * node] + tree_[2 * node + 1];
}

Transitions Replay::sample(std::int64_t rows, Random& random, double progress) const {
  if (!ready(1))
    throw Error(
        {.category = Category::usage, .where = "replay", .what = "nothing is remembered yet", .fix = "Act first."});
  const auto n = config_.steps;
  Transitions batch{.observations = rows_like(observations_, rows),
                    .actions = rows_like(actions_, rows),
                    .rewards = at::zeros({rows}, at::kFloat),
                    .next_observations = rows_like(observations_, rows),
                    .discounts = at::zeros({rows}, at::kFloat),
                    .weights = at::ones({rows}, at::kFloat),
                    .places = at::empty({rows}, at::kLong)};
  const auto seen_bytes = batch.observations.nbytes() / static_cast<std::size_t>(rows);
  const auto done_bytes = batch.actions.nbytes() / static_cast<std::size_t>(rows);
  // Where rewards are asked for, those of all steps of all windows are asked for at once.
  std::vector<std::int64_t> asked, of_row;
  std::vector<double> factor;
  const auto* ends = ends_.const_data_ptr<std::uint8_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto place = draw(random), env = place % environments_;
    auto slot = place / environments_;
    copy_row(observations_, place, batch.observations, row, seen_bytes);
    copy_row(actions_, place, batch.actions, row, done_bytes);
    batch.places.mutable_data_ptr<std::int64_t>()[row] = place;
    double discount = 1, sum = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const auto here = slot * environments_ + env;
      sum += discount * rewards_.const_data_ptr<float>()[here];
      if (reward_) {
        asked.push_back(here);
        of_row.push_back(row);
        factor.push_back(discount);
      }
      discount *= config_.gamma;
      const bool newest = slot == slot_of(size_ - 1);
      if (ends[here] != goes_on) {
        copy_row(finals_.at(here), 0, batch.next_observations, row, seen_bytes);
        if (ends[here] == terminated) discount = 0;
        break;
      }
      slot = (slot + 1) % slots_;
      if (k + 1 < n) continue;
      if (newest)
        copy_row(current_, env, batch.next_observations, row, seen_bytes);
      else
        copy_row(observations_, slot * environments_ + env, batch.next_observations, row, seen_bytes);
    }
    batch.rewards.mutable_data_ptr<float>()[row] = static_cast<float>(sum);
    batch.discounts.mutable_data_ptr<float>()[row] = static_cast<float>(discount);
  }
  if (reward_) {
    const auto steps = at::tensor(asked);
    const auto rewards =
        reward_(observations_.flatten(0, 1).index_select(0, steps), actions_.flatten(0, 1).index_select(0, steps));
    batch.rewards =
        at::zeros({rows}, at::kFloat).index_add(0, at::tensor(of_row), rewards * at::tensor(factor).to(at::kFloat));
  }
  if (config_.prioritised) {
    const double beta = config_.beta + (1 - config_.beta) * progress,
                 count = static_cast<double>(windows() * environments_);
    auto* weights = batch.weights.mutable_data_ptr<float>();
    double largest = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      const double chance = priority(batch.places.const_data_ptr<std::int64_t>()[row]) / tree_[1];
      const double weight = std::pow(count * chance, -beta);
      weights[row] = static_cast<float>(weight);
      largest = std::max(largest, weight);
    }
    batch.weights.div_(largest);
  }
  return batch;
}

void Replay::update_priorities(const Tensor& places, const Tensor& errors) {
  if (!config_.prioritised) return;
  const auto sizes = errors.detach().to(at::kDouble).contiguous();
  for (std::int64_t row = 0; row < places.numel(); ++row) {
    const double value = std::pow(std::abs(sizes.const_data_ptr<double>()[row]) + config_.epsilon, config_.alpha);
    set_priority(places.const_data_ptr<std::int64_t>()[row], value);
    largest_ = std::max(largest_, value);
  }
}

void Replay::save(State& state, const std::string& prefix) const {
  auto& values = state.values[prefix] = {{"head", head_}, {"size", size_}, {"largest", largest_}};
  if (size_ == 0) return;
  // A ring that is not full yet is saved as far as it is filled.
  for (const auto& [name, ring] :
       {std::pair{"observations", observations_}, {"actions", actions_}, {"rewards", rewards_}, {"ends", ends_}})
    state.tensors[prefix + "." + name] = ring.narrow(0, 0, size_);
  state.tensors[prefix + ".current"] = current_;
  std::vector<std::int64_t> places;
  std::vector<Tensor> rows;
  for (const auto& [place, row] : finals_) places.push_back(place);
  std::sort(places.begin(), places.end());
  for (const auto place : places) rows.push_back(finals_.at(place));
  values["finals"] = places;
  if (!rows.empty()) state.tensors[prefix + ".finals"] = at::stack(rows);
  if (!config_.prioritised) return;
  std::vector<double> leaves(tree_.begin() + leaves_, tree_.begin() + leaves_ + size_ * environments_);
  state.tensors[prefix + ".priorities"] = at::tensor(leaves, at::kDouble);
}

void Replay::restore(const State& state, const std::string& prefix) {
  const auto& values = state.values.at(prefix);
  head_ = values.at("head");
  size_ = values.at("size");
  largest_ = values.at("largest");
  if (size_ == 0) return;
  const auto stored = [&](const char* name) { return state.tensors.at(prefix + "." + name); };
  for (auto [name, ring] :
       {std::pair{"observations", &observations_}, {"actions", &actions_}, {"rewards", &rewards_}, {"ends", &ends_}}) {
    *ring = ring_of(stored(name)[0], slots_);
    ring->narrow(0, 0, size_).copy_(stored(name));
  }
  current_ = stored("current").clone();
  finals_.clear();
  const auto& places = values.at("finals");
  for (std::size_t i = 0; i < places.size(); ++i)
    finals_[places[i]] = stored("finals")[static_cast<std::int64_t>(i)].clone();
  if (!config_.prioritised) return;
  const auto leaves = stored("priorities");
  for (std::int64_t place = 0; place < leaves.numel(); ++place)
    set_priority(place, leaves.const_data_ptr<double>()[place]);
}

}  // namespace rlhf::control
