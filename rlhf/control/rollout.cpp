#include "rlhf/control/rollout.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cstring>

#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

Tensor room_for(const Tensor& one, std::int64_t steps) {
  auto shape = one.sizes().vec();
  shape.insert(shape.begin() + 1, steps);
  return at::empty(shape, one.options());
}

/// One that remembers nothing.
Actor actor_of(const models::ActorCritic& agent) {
  return {.judge = [&agent](const Tensor& seen) { return agent.judge(agent.encode()(seen)); },
          .values = [&agent](const Tensor& seen) { return agent.values(agent.encode()(seen)); },
          .within_bounds = [&agent](const Tensor& actions) { return agent.within_bounds(actions); }};
}

}  // namespace

Collector::Collector(environments::VectorEnvironment& environments, const models::ActorCritic& agent,
                     std::int64_t steps, std::uint64_t seed)
    : Collector(environments, actor_of(agent), steps, seed) {}

Collector::Collector(environments::VectorEnvironment& environments, Actor actor, std::int64_t steps, std::uint64_t seed)
    : environments_(environments),
      actor_(std::move(actor)),
      steps_(steps),
      random_(derive(seed, {hash("actions")})),
      episodes_(environments.count()) {
  if (environments.auto_reset() != environments::AutoReset::same_step)
    throw Error({.category = Category::usage,
                 .where = "environment " + environments.spec().name,
                 .what = "its episodes do not start anew in the step that ends them",
                 .fix = "Make it with AutoReset::same_step."});
  environments_.reset(derive(seed, {hash("episodes")}));
}

void Collector::value_of_cut_off(const environments::VectorStep& step, Tensor& after) const {
  const auto cut = step.truncated.logical_and(step.terminated.logical_not());
  if (!cut.any().item<bool>()) return;
  const auto values = actor_.values(step.final_observations);
  after = at::zeros_like(values).masked_scatter(cut, values.masked_select(cut));
}

Rollout Collector::collect(bool keep_states) {
  const at::NoGradGuard no_gradient;
  const auto envs = environments_.count();
  Rollout rollout{.logprobs = at::empty({envs, steps_}, at::kFloat),
                  .values = at::empty({envs, steps_}, at::kFloat),
                  .rewards = at::empty({envs, steps_}, at::kFloat)};
  rollout.observations = room_for(environments_.observations(), steps_);
  rollout.places.resize(static_cast<std::size_t>(envs * steps_));
  if (keep_states) {
    rollout.states.resize(rollout.places.size());
    rollout.next = room_for(environments_.observations(), steps_);
  }
  std::vector<std::vector<std::pair<std::int64_t, float>>> ends(
      static_cast<std::size_t>(envs));  // (step, value after it)
  for (std::int64_t t = 0; t < steps_; ++t) {
    const auto& seen = environments_.observations();
    const auto [policy, values] = actor_.judge(seen);
    const auto actions = models::draw(policy, random_);
    if (!rollout.actions.defined()) rollout.actions = room_for(actions, steps_);
    rollout.observations.select(1, t).copy_(seen);
    rollout.actions.select(1, t).copy_(actions);
    rollout.logprobs.select(1, t).copy_(models::judge(policy, actions).logprobs);
    rollout.values.select(1, t).copy_(values);
    for (std::int64_t i = 0; i < envs; ++i) {
      rollout.places[static_cast<std::size_t>(i * steps_ + t)] = environments_.place(i);
      if (keep_states) rollout.states[static_cast<std::size_t>(i * steps_ + t)] = environments_.state_of(i);
    }
    const auto& step = environments_.step(actor_.within_bounds(actions));
    episodes_.add(step);
    rollout.rewards.select(1, t).copy_(step.rewards);
    if (keep_states) rollout.next.select(1, t).copy_(outcomes_of(step));
    if (step.ended == 0) continue;
    Tensor after = at::zeros({envs}, at::kFloat);
    value_of_cut_off(step, after);
    if (actor_.ended) actor_.ended(step);
    const auto* terminated = step.terminated.const_data_ptr<bool>();
    const auto* truncated = step.truncated.const_data_ptr<bool>();
    for (std::int64_t i = 0; i < envs; ++i)
      if (terminated[i] || truncated[i])
        ends[static_cast<std::size_t>(i)].emplace_back(t, after.const_data_ptr<float>()[i]);
  }
  const auto last = actor_.values(environments_.observations()).contiguous();
  std::vector<float> after;
  for (std::int64_t i = 0; i < envs; ++i) {
    std::int64_t begin = 0;
    for (const auto& [t, value] : ends[static_cast<std::size_t>(i)]) {
      rollout.starts.push_back(i * steps_ + begin);
      after.push_back(value);
      begin = t + 1;
    }
    if (begin == steps_) continue;
    rollout.starts.push_back(i * steps_ + begin);
    after.push_back(last.const_data_ptr<float>()[i]);
  }
  rollout.starts.push_back(envs * steps_);
  rollout.after = at::tensor(after, at::kFloat);
  return rollout;
}

void Collector::save(State& state, const std::string& prefix) const {
  state.tensors[prefix + ".environments"] = as_tensor(environments_.state());
  state.values[prefix + ".random"] = random_.position();
  episodes_.save(state, prefix + ".episodes");
}

void Collector::restore(const State& state, const std::string& prefix) {
  environments_.set_state(as_bytes(state.tensors.at(prefix + ".environments")));
  random_ = Random(random_.key(), state.values.at(prefix + ".random"));
  episodes_.restore(state, prefix + ".episodes");
}

Recorder::Recorder(std::int64_t environments, std::int64_t steps) : environments_(environments), steps_(steps) {}

void Recorder::before(const environments::VectorEnvironment& environments, const Tensor& actions) {
  const auto& seen = environments.observations();
  if (now_ == 0) {
    const auto count = static_cast<std::size_t>(environments_ * steps_);
    rollout_ = {.observations = room_for(seen, steps_),
                .actions = room_for(actions, steps_),
                .next = room_for(seen, steps_),
                .rewards = at::empty({environments_, steps_}, at::kFloat),
                .places = std::vector<environments::Place>(count),
                .states = std::vector<std::string>(count)};
    ended_.assign(count, 0);
  }
  rollout_.observations.select(1, now_).copy_(seen);
  rollout_.actions.select(1, now_).copy_(actions);
  for (std::int64_t i = 0; i < environments_; ++i) {
    rollout_.places[static_cast<std::size_t>(i * steps_ + now_)] = environments.place(i);
    rollout_.states[static_cast<std::size_t>(i * steps_ + now_)] = environments.state_of(i);
  }
}

bool Recorder::after(const environments::VectorStep& step) {
  rollout_.rewards.select(1, now_).copy_(step.rewards);
  rollout_.next.select(1, now_).copy_(outcomes_of(step));
  for (std::int64_t i = 0; i < environments_; ++i)
    ended_[static_cast<std::size_t>(i * steps_ + now_)] =
        step.terminated.const_data_ptr<bool>()[i] || step.truncated.const_data_ptr<bool>()[i];
  return ++now_ == steps_;
}

Rollout Recorder::take() {
  for (std::int64_t at = 0; at < environments_ * steps_; ++at)
    if (at % steps_ == 0 || ended_[static_cast<std::size_t>(at - 1)]) rollout_.starts.push_back(at);
  rollout_.starts.push_back(environments_ * steps_);
  now_ = 0;
  return std::move(rollout_);
}

Tensor outcomes_of(const environments::VectorStep& step) {
  if (step.ended == 0 || !step.final_observations.defined()) return step.observations;
  auto shape = std::vector<std::int64_t>(static_cast<std::size_t>(step.observations.dim()), 1);
  shape[0] = step.observations.size(0);
  return at::where(step.terminated.logical_or(step.truncated).view(shape), step.final_observations, step.observations);
}

Tensor as_tensor(std::string_view bytes) {
  auto tensor = at::empty({std::ssize(bytes)}, at::kByte);
  std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

std::string as_bytes(const Tensor& tensor) {
  const auto plain = tensor.contiguous();
  return {static_cast<const char*>(plain.const_data_ptr()), static_cast<std::size_t>(plain.numel())};
}

}  // namespace rlhf::control
