#include "rlhf/control/replay.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "rlhf/control/demonstrations.h"
#include "rlhf/control/detail/rows.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

constexpr std::int64_t no_model = -1;

}  // namespace

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

void Replay::make_rings(const Tensor& observation, const Tensor& action) {
  const auto places = kept_ + slots_ * environments_;
  observations_.allocate(observation, places);
  actions_ = rows_like(action, places).zero_();
  rewards_ = at::zeros({places}, at::kFloat);
  ends_ = at::zeros({places}, at::kByte);
  forget_answers();
  if (config_.prioritised) priorities_ = SumTree(places);
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
    for (std::int64_t each = 0; each < kept_; ++each) priorities_.set(each, largest_);
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
    priorities_.set(place, 0);
    // A window can begin here once all of it has been seen.
    if (windows() > 0) priorities_.set(place_of(slot_of(windows() - 1), env), largest_);
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

void Replay::update_priorities(const Tensor& places, const Tensor& errors) {
  if (!config_.prioritised) return;
  const auto sizes = errors.detach().to(at::kDouble).contiguous();
  for (std::int64_t row = 0; row < places.numel(); ++row) {
    const auto place = places.const_data_ptr<std::int64_t>()[row];
    const double bonus = config_.epsilon + (place < kept_ ? config_.demonstration_bonus : 0.0);
    const double value = std::pow(std::abs(sizes.const_data_ptr<double>()[row]) + bonus, config_.alpha);
    priorities_.set(place, value);
    largest_ = std::max(largest_, value);
  }
}

}  // namespace rlhf::control
