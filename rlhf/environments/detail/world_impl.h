#pragma once
// The members of Single and Batch, included by the source of each world, which instantiates both.
#include "rlhf/core/error.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

/// How many numbers an observation of the spec has.
std::size_t observed_numbers(const Spec& spec);

/// The option "state" of reset: a list of numbers, empty where it is not given.
std::vector<double> given_state(const Spec& spec, const nlohmann::json& options);

/// Throws rlhf::Error (usage) unless there is a finite number for each name.
void require_numbers(const Spec& spec, const std::vector<double>& numbers, const std::vector<std::string>& names);

/// Throws rlhf::Error (usage) for a negative limit of steps.
void require_limit(std::int64_t max_steps);

[[noreturn]] void throw_no_state(const Spec& spec);

/// Could this be a moment? Of bytes that were read.
template <class W>
bool possible(const W& world, const Moment<W>& moment) {
  return world.possible(moment.world) && moment.steps >= 0 && (moment.running == 0 || moment.running == 1);
}

template <class W>
Single<W>::Single(const typename W::Config& config) : rules_(config), observed_(observed_numbers(rules_.spec())) {}

template <class W>
Start Single<W>::reset(std::uint64_t seed, const nlohmann::json& options) {
  check_options(spec(), options, {"state"});
  now_ = rules_.start(seed);
  if (const auto numbers = given_state(spec(), options); !numbers.empty()) now_.world = rules_.world().given(numbers);
  return {.observation = observation(), .info = info()};
}

template <class W>
Step Single<W>::step(const Action& action) {
  if (!now_.running) throw_not_running(spec());
  bool truncated = false;
  Outcome outcome;
  if constexpr (W::discrete)
    outcome = rules_.advance(now_, checked_choice(spec(), action), truncated);
  else
    outcome = rules_.advance(now_, checked_numbers(spec(), action), truncated);
  return {.observation = observation(),
          .reward = outcome.reward,
          .terminated = outcome.terminated,
          .truncated = truncated,
          .info = info()};
}

template <class W>
Array Single<W>::observation() const {
  std::vector<typename W::Observed> numbers(observed_);
  rules_.world().observe(now_.world, numbers.data());
  return numbers;
}

template <class W>
std::string Single<W>::state() const {
  return {reinterpret_cast<const char*>(&now_), sizeof now_};
}

template <class W>
void Single<W>::set_state(std::string_view bytes) {
  Moment<W> moment;
  if (bytes.size() != sizeof moment) throw_no_state(spec());
  std::memcpy(static_cast<void*>(&moment), bytes.data(), sizeof moment);
  if (!possible(rules_.world(), moment)) throw_no_state(spec());
  now_ = moment;
}

template <class W>
Image Single<W>::render(int width, int height) const {
  return rules_.world().draw(now_.world, width, height);
}

template <class W>
std::string Single<W>::text() const {
  if constexpr (requires { rules_.world().text(now_.world); })
    return rules_.world().text(now_.world);
  else
    return Environment::text();
}

template <class W>
nlohmann::json Single<W>::info() const {
  if constexpr (requires { rules_.world().info(now_.world); })
    return rules_.world().info(now_.world);
  else
    return nullptr;
}

template <class W>
Batch<W>::Batch(const typename W::Config& config, const VectorOptions& options)
    : rules_(config), auto_reset_(options.auto_reset), observed_(observed_numbers(rules_.spec())) {
  out_ = make_vector_step(spec(), options);
  moments_.resize(static_cast<std::size_t>(options.count));
  episodes_.assign(moments_.size(), 0);
}

template <class W>
typename Batch<W>::Observed* Batch<W>::row(const Tensor& of, std::int64_t environment) const {
  return of.mutable_data_ptr<Observed>() + static_cast<std::size_t>(environment) * observed_;
}

template <class W>
void Batch<W>::begin_episode(std::int64_t environment) {
  moments_[environment] = rules_.start(episode_seed(seed_, environment, episodes_[environment]));
  rules_.world().observe(moments_[environment].world, row(out_.observations, environment));
}

template <class W>
const Tensor& Batch<W>::reset(std::uint64_t seed) {
  seed_ = seed;
  for (std::int64_t i = 0; i < count(); ++i) {
    episodes_[i] = 0;
    begin_episode(i);
  }
  clear_flags(out_);
  return out_.observations;
}

template <class W>
const VectorStep& Batch<W>::step(const Tensor& actions) {
  check_actions(spec(), actions, count());
  const W& world = rules_.world();
  double* rewards = out_.rewards.template mutable_data_ptr<double>();
  bool* terminated = out_.terminated.template mutable_data_ptr<bool>();
  bool* truncated = out_.truncated.template mutable_data_ptr<bool>();
  Observed* seen = row(out_.observations, 0);
  const std::remove_cv_t<std::remove_pointer_t<ActionOf<W>>>* chosen =
      actions.template const_data_ptr<std::remove_cv_t<std::remove_pointer_t<ActionOf<W>>>>();
  const std::int64_t width = W::discrete ? 1 : actions.numel() / count();
  out_.ended = 0;
  for (std::int64_t i = 0; i < count(); ++i, seen += observed_) {
    auto& moment = moments_[i];
    if (!moment.running) [[unlikely]] {
      rewards[i] = 0;
      if (auto_reset_ == AutoReset::disabled) continue;
      terminated[i] = truncated[i] = false;
      ++episodes_[i];
      begin_episode(i);
      continue;
    }
    Outcome outcome;
    if constexpr (W::discrete)
      outcome = rules_.advance(moment, chosen[i], truncated[i]);
    else
      outcome = rules_.advance(moment, chosen + i * width, truncated[i]);
    rewards[i] = outcome.reward;
    terminated[i] = outcome.terminated;
    world.observe(moment.world, seen);
    if (!moment.running) [[unlikely]] {
      ++out_.ended;
      if (auto_reset_ != AutoReset::same_step) continue;
      std::memcpy(row(out_.final_observations, i), seen, observed_ * sizeof(Observed));
      ++episodes_[i];
      begin_episode(i);
    }
  }
  return out_;
}

template <class W>
Place Batch<W>::place(std::int64_t environment) const {
  const auto episode = episodes_.at(static_cast<std::size_t>(environment));
  return {episode_seed(seed_, environment, episode), episode, moments_[environment].steps};
}

template <class W>
std::string Batch<W>::state_of(std::int64_t environment) const {
  return {reinterpret_cast<const char*>(&moments_.at(static_cast<std::size_t>(environment))), sizeof(Moment<W>)};
}

template <class W>
std::string Batch<W>::state() const {
  std::string bytes(reinterpret_cast<const char*>(&seed_), sizeof seed_);
  bytes.append(reinterpret_cast<const char*>(episodes_.data()), episodes_.size() * sizeof(std::int64_t));
  bytes.append(reinterpret_cast<const char*>(moments_.data()), moments_.size() * sizeof(Moment<W>));
  return bytes;
}

template <class W>
void Batch<W>::set_state(std::string_view bytes) {
  const auto numbers = episodes_.size() * sizeof(std::int64_t), states = moments_.size() * sizeof(Moment<W>);
  if (bytes.size() != sizeof seed_ + numbers + states) throw_no_state(spec());
  auto moments = moments_;
  std::memcpy(static_cast<void*>(moments.data()), bytes.data() + sizeof seed_ + numbers, states);
  for (const auto& moment : moments)
    if (!possible(rules_.world(), moment)) throw_no_state(spec());
  moments_ = std::move(moments);
  std::memcpy(&seed_, bytes.data(), sizeof seed_);
  std::memcpy(episodes_.data(), bytes.data() + sizeof seed_, numbers);
  clear_flags(out_);
  for (std::int64_t i = 0; i < count(); ++i) rules_.world().observe(moments_[i].world, row(out_.observations, i));
}

}  // namespace rlhf::environments
