#include "rlhf/control/replay.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "rlhf/control/demonstrations.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::control {
namespace {

constexpr std::uint8_t goes_on = 0, terminated = 1, cut_off = 2;

constexpr std::int64_t no_model = -1;

/// [places, ...] for rows like those of [rows, ...]
Tensor ring_of(const Tensor& rows, std::int64_t places) {
  auto shape = rows.sizes().vec();
  shape[0] = places;
  return at::zeros(shape, rows.options());
}

/// Copies rows of one tensor to another; both [rows, ...] of equal rows, in plain memory.
void copy_rows(const Tensor& source, std::int64_t from, const Tensor& target, std::int64_t to, std::int64_t count = 1) {
  const auto bytes = target.nbytes() / static_cast<std::size_t>(target.size(0));
  std::memcpy(static_cast<char*>(target.mutable_data_ptr()) + static_cast<std::size_t>(to) * bytes,
              static_cast<const char*>(source.const_data_ptr()) + static_cast<std::size_t>(from) * bytes,
              static_cast<std::size_t>(count) * bytes);
}

Tensor rows_like(const Tensor& ring, std::int64_t rows) {
  auto shape = ring.sizes().vec();
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
  f.field("beta", beta, "how much of the priorities' bias is weighed out at the start ...");
  f.field("beta_end", beta_end, "... and at the end");
  f.field("epsilon", epsilon, "added to the size of an error");
  f.field("demonstration_bonus", demonstration_bonus, "added to the size of an error of what was demonstrated");
}

void ReplayConfig::validate() const {
  require_setting(capacity >= 1, "capacity", "Keep 1 or more.");
  require_setting(steps >= 1, "steps", "Give 1 or more.");
  require_setting(gamma >= 0 && gamma <= 1, "gamma", "Give a number from 0 to 1.");
  require_setting(alpha >= 0 && alpha <= 1, "alpha", "Give a number from 0 to 1.");
  require_setting(beta >= 0 && beta <= 1, "beta", "Give a number from 0 to 1.");
  require_setting(beta_end >= 0 && beta_end <= 1, "beta_end", "Give a number from 0 to 1.");
  require_setting(demonstration_bonus >= 0, "demonstration_bonus", "Give 0 or more.");
  require_setting(epsilon > 0, "epsilon", "Give a positive number.");
}

Replay::Replay(const environments::Spec& spec, std::int64_t environments, const ReplayConfig& config)
    : spec_(spec),
      environments_(environments),
      slots_(config.capacity / environments),
      config_(config),
      observations_(spec) {
  config.validate();
  if (slots_ < config.steps)
    throw Error({.category = Category::usage,
                 .where = "capacity",
                 .what = fmt::format("{} transitions of {} environments hold no window of {} steps", config.capacity,
                                     environments, config.steps),
                 .fix = "Keep more."});
}

/// One window: the places of its steps and what each of their rewards counts.
struct Replay::Walk {
  std::vector<std::int64_t> places;
  std::vector<double> factors;
  double discount = 1;  // of what follows
};

void Replay::make_rings(const Tensor& observation, const Tensor& action) {
  const auto places = kept_ + slots_ * environments_;
  observations_.allocate(observation, places);
  actions_ = ring_of(action, places);
  rewards_ = at::zeros({places}, at::kFloat);
  ends_ = at::zeros({places}, at::kByte);
  forget_answers();
  if (!config_.prioritised) return;
  leaves_ = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(places)));
  tree_.assign(static_cast<std::size_t>(2 * leaves_), 0.0);
}

void Replay::set_reward(RewardSource source) {
  source_ = std::move(source);
  if (observations_.allocated()) forget_answers();
}

void Replay::forget_answers() {
  const auto places = source_.reward ? static_cast<std::size_t>(observations_.places()) : 0;
  answers_.assign(places, 0.0F);
  versions_.assign(places, no_model);
}

void Replay::keep(std::span<const data::Trajectory> demonstrations) {
  if (demonstrations.empty()) return;
  if (observations_.allocated())
    throw Error({.category = Category::usage,
                 .where = "demonstrations",
                 .what = "there are steps in the buffer already",
                 .fix = "Give all demonstrations at once, before anything else."});
  for (const auto& one : demonstrations) {
    require_recorded_in(spec_, one);
    kept_ += std::ssize(one.actions);
  }
  std::int64_t place = 0;
  for (const auto& one : demonstrations) {
    const auto seen = environments::stacked(spec_, one.observations), done = environments::stacked(one.actions);
    const auto steps = std::ssize(one.actions);
    if (place == 0) make_rings(seen, done);
    for (std::int64_t t = 0; t < steps; ++t) observations_.put(seen, t, place + t, t == 0);
    copy_rows(done, 0, actions_, place, steps);
    for (std::int64_t t = 0; t < steps; ++t)
      rewards_.mutable_data_ptr<float>()[place + t] = static_cast<float>(one.rewards[static_cast<std::size_t>(t)]);
    place += steps;
    ends_.mutable_data_ptr<std::uint8_t>()[place - 1] = one.terminated ? terminated : cut_off;
    finals_[place - 1] = seen.narrow(0, steps, 1).clone();
  }
  if (config_.prioritised)
    for (std::int64_t each = 0; each < kept_; ++each) set_priority(each, largest_);
}

void Replay::add(const Tensor& observations, const Tensor& actions, const environments::VectorStep& step) {
  if (!observations_.allocated()) make_rings(observations, actions);
  cut_where_broken(observations);
  const auto slot = slot_of(size_ == slots_ ? 0 : size_), newest = slot_of(size_ - 1);
  const auto* ends = ends_.const_data_ptr<std::uint8_t>();
  for (std::int64_t env = 0; env < environments_; ++env) {
    if (size_ == slots_ && slots_ > 1)
      observations_.begin_at(place_of(slot_of(1), env), [this](std::int64_t place) { return before(place); });
    const bool begins = size_ == 0 || slots_ == 1 || ends[place_of(newest, env)] != goes_on;
    observations_.put(observations, env, place_of(slot, env), begins);
  }
  if (size_ == slots_)
    head_ = (head_ + 1) % slots_;
  else
    ++size_;
  copy_rows(actions.contiguous(), 0, actions_, place_of(slot, 0), environments_);
  current_ = step.observations.clone();
  for (std::int64_t env = 0; env < environments_; ++env) {
    const auto place = place_of(slot, env);
    rewards_.mutable_data_ptr<float>()[place] = static_cast<float>(step.rewards.const_data_ptr<double>()[env]);
    if (source_.reward) versions_[static_cast<std::size_t>(place)] = no_model;
    const bool ended = step.terminated.const_data_ptr<bool>()[env], late = step.truncated.const_data_ptr<bool>()[env];
    ends_.mutable_data_ptr<std::uint8_t>()[place] = ended ? terminated : late ? cut_off : goes_on;
    finals_.erase(place);
    if (ended || late) finals_[place] = step.final_observations.narrow(0, env, 1).clone();
    if (!config_.prioritised) continue;
    set_priority(place, 0);
    // A window can begin here once all of it has been seen.
    if (windows() > 0) set_priority(place_of(slot_of(windows() - 1), env), largest_);
  }
}

/// An environment that does not show what its last step led to was begun anew behind our back: by a resumed run, of one
/// that cannot save its state.
void Replay::cut_where_broken(const Tensor& observations) {
  if (size_ == 0) return;
  const auto bytes = observations.nbytes() / static_cast<std::size_t>(environments_);
  for (std::int64_t env = 0; env < environments_; ++env) {
    const auto place = place_of(slot_of(size_ - 1), env);
    auto& end = ends_.mutable_data_ptr<std::uint8_t>()[place];
    const auto at = static_cast<std::size_t>(env) * bytes;
    if (end != goes_on || std::memcmp(static_cast<const char*>(observations.const_data_ptr()) + at,
                                      static_cast<const char*>(current_.const_data_ptr()) + at, bytes) == 0)
      continue;
    end = cut_off;
    finals_[place] = current_.narrow(0, env, 1).clone();
  }
}

bool Replay::ready(std::int64_t rows) const { return beginnings() >= rows; }

std::int64_t Replay::draw(Random& random) const {
  if (!config_.prioritised) {
    const auto at = random.below(beginnings()), of_agents = at - kept_;
    return of_agents < 0 ? at : place_of(slot_of(of_agents / environments_), of_agents % environments_);
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

std::int64_t Replay::before(std::int64_t place) const {
  if (place < kept_) return place - 1;
  const auto at = place - kept_;
  return place_of((at / environments_ + slots_ - 1) % slots_, at % environments_);
}

void Replay::copy_seen(std::int64_t place, const Tensor& to, std::int64_t row) const {
  const auto earlier = [this](std::int64_t at) { return before(at); };
  observations_.copy(place, earlier, to, row);
}

/// What the step at a place led to.
void Replay::copy_after(std::int64_t place, const Tensor& to, std::int64_t row) const {
  if (ends_.const_data_ptr<std::uint8_t>()[place] != goes_on) return copy_rows(finals_.at(place), 0, to, row);
  if (place < kept_) return copy_seen(place + 1, to, row);
  const auto slot = (place - kept_) / environments_, env = (place - kept_) % environments_;
  if (slot == slot_of(size_ - 1)) return copy_rows(current_, env, to, row);
  copy_seen(place_of((slot + 1) % slots_, env), to, row);
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

Transitions Replay::sample(std::int64_t rows, Random& random, double progress) const {
  if (!ready(1))
    throw Error(
        {.category = Category::usage, .where = "replay", .what = "nothing is remembered yet", .fix = "Act first."});
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
    const double chance = priority(batch.places.const_data_ptr<std::int64_t>()[row]) / tree_[1];
    const double weight = std::pow(count * chance, -beta);
    weights[row] = static_cast<float>(weight);
    largest = std::max(largest, weight);
  }
  batch.weights.div_(largest);
}

void Replay::update_priorities(const Tensor& places, const Tensor& errors) {
  if (!config_.prioritised) return;
  const auto sizes = errors.detach().to(at::kDouble).contiguous();
  for (std::int64_t row = 0; row < places.numel(); ++row) {
    const auto place = places.const_data_ptr<std::int64_t>()[row];
    const double bonus = config_.epsilon + (place < kept_ ? config_.demonstration_bonus : 0.0);
    const double value = std::pow(std::abs(sizes.const_data_ptr<double>()[row]) + bonus, config_.alpha);
    set_priority(place, value);
    largest_ = std::max(largest_, value);
  }
}

void Replay::save(State& state, const std::string& prefix) const {
  auto& values = state.values[prefix] = {{"head", head_}, {"size", size_}, {"largest", largest_}};
  if (size_ == 0) return;
  const auto used = kept_ + size_ * environments_;
  // A ring that is not full yet is saved as far as it is filled.
  for (const auto& [name, ring] : {std::pair{"actions", actions_}, {"rewards", rewards_}, {"ends", ends_}})
    state.tensors[prefix + "." + name] = ring.narrow(0, 0, used);
  observations_.save(state, prefix + ".observations", used);
  state.tensors[prefix + ".current"] = current_;
  std::vector<std::int64_t> places;
  std::vector<Tensor> rows;
  for (const auto& [place, row] : finals_) places.push_back(place);
  std::sort(places.begin(), places.end());
  for (const auto place : places) rows.push_back(finals_.at(place));
  values["finals"] = places;
  if (!rows.empty()) state.tensors[prefix + ".finals"] = at::cat(rows);
  if (source_.reward) {  // a model's answers may differ in their last bit with the rows that were asked about at once
    state.tensors[prefix + ".answers"] = at::tensor(answers_).narrow(0, 0, used);
    state.tensors[prefix + ".versions"] = at::tensor(versions_).narrow(0, 0, used);
  }
  if (!config_.prioritised) return;
  std::vector<double> leaves(tree_.begin() + leaves_, tree_.begin() + leaves_ + used);
  state.tensors[prefix + ".priorities"] = at::tensor(leaves, at::kDouble);
}

void Replay::restore(const State& state, const std::string& prefix) {
  const auto& values = state.values.at(prefix);
  head_ = values.at("head");
  size_ = values.at("size");
  largest_ = values.at("largest");
  if (size_ == 0) return;
  const auto stored = [&](const char* name) { return state.tensors.at(prefix + "." + name); };
  for (auto [name, ring] : {std::pair{"actions", &actions_}, {"rewards", &rewards_}, {"ends", &ends_}}) {
    if (!observations_.allocated()) make_rings(stored("current"), stored("actions"));
    ring->narrow(0, 0, kept_ + size_ * environments_).copy_(stored(name));
  }
  observations_.restore(state, prefix + ".observations");
  current_ = stored("current").clone();
  finals_.clear();
  const auto& places = values.at("finals");
  for (std::size_t i = 0; i < places.size(); ++i)
    finals_[places[i]] = stored("finals").narrow(0, static_cast<std::int64_t>(i), 1).clone();
  if (source_.reward) {
    const auto answers = stored("answers"), versions = stored("versions");
    std::copy_n(answers.const_data_ptr<float>(), answers.numel(), answers_.begin());
    std::copy_n(versions.const_data_ptr<std::int64_t>(), versions.numel(), versions_.begin());
  }
  if (!config_.prioritised) return;
  const auto leaves = stored("priorities");
  for (std::int64_t place = 0; place < leaves.numel(); ++place)
    set_priority(place, leaves.const_data_ptr<double>()[place]);
}

}  // namespace rlhf::control
