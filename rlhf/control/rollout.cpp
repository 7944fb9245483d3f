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

/// Which episodes the environments are in before step `t`, and their states where those are kept.
void note_places(const environments::VectorEnvironment& environments, std::int64_t t, Rollout& rollout) {
  const auto steps = rollout.rewards.size(1);
  for (std::int64_t i = 0; i < environments.count(); ++i) {
    const auto at = static_cast<std::size_t>(i * steps + t);
    rollout.places[at] = environments.place(i);
    if (!rollout.states.empty()) rollout.states[at] = environments.state_of(i);
  }
}

void note_ends(const environments::VectorStep& step, std::int64_t t, Rollout& rollout) {
  const auto *terminated = step.terminated.const_data_ptr<bool>(), *truncated = step.truncated.const_data_ptr<bool>();
  const auto envs = rollout.rewards.size(0), steps = rollout.rewards.size(1);
  for (std::int64_t i = 0; i < envs; ++i)
    rollout.ended[static_cast<std::size_t>(i * steps + t)] = terminated[i] || truncated[i];
}

/// Where sequences begin: with each environment's first step and after the steps that ended an episode.
std::vector<std::int64_t> starts_of(const Rollout& rollout, std::int64_t steps) {
  std::vector<std::int64_t> starts;
  for (std::int64_t at = 0; at < rollout.steps(); ++at)
    if (at % steps == 0 || rollout.ended[static_cast<std::size_t>(at - 1)]) starts.push_back(at);
  starts.push_back(rollout.steps());
  return starts;
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

Rollout Collector::room(bool keep_states) const {
  const auto envs = environments_.count();
  const auto count = static_cast<std::size_t>(envs * steps_);
  const auto one = [&] { return at::empty({envs, steps_}, at::kFloat); };
  Rollout rollout{.observations = room_for(environments_.observations(), steps_),
                  .logprobs = one(),
                  .values = one(),
                  .rewards = one(),
                  .earned = one(),
                  .places = std::vector<environments::Place>(count),
                  .ended = std::vector<std::uint8_t>(count)};
  if (!keep_states) return rollout;
  rollout.states.resize(count);
  rollout.next = room_for(environments_.observations(), steps_);
  return rollout;
}

/// Step `t` of all environments. Where it ends an episode, `after` [envs * steps] gets the value of what follows.
void Collector::act(std::int64_t t, Rollout& rollout, std::vector<float>& after) {
  const auto& seen = environments_.observations();
  const auto [policy, values] = actor_.judge(seen);
  const auto actions = models::draw(policy, random_);
  const auto sent = actor_.within_bounds(actions);
  if (!rollout.actions.defined()) {
    rollout.actions = room_for(actions, steps_);
    rollout.sent = sent.is_same(actions) ? rollout.actions : room_for(sent, steps_);
  }
  rollout.observations.select(1, t).copy_(seen);
  rollout.actions.select(1, t).copy_(actions);
  if (!rollout.sent.is_same(rollout.actions)) rollout.sent.select(1, t).copy_(sent);
  rollout.logprobs.select(1, t).copy_(models::judge(policy, actions).logprobs);
  rollout.values.select(1, t).copy_(values);
  note_places(environments_, t, rollout);
  const auto& step = environments_.step(sent);
  episodes_.add(step);
  rollout.rewards.select(1, t).copy_(step.rewards);
  rollout.earned.select(1, t).copy_(environments::earned(step));
  if (rollout.next.defined()) rollout.next.select(1, t).copy_(outcomes_of(step));
  if (step.ended == 0) return;
  note_ends(step, t, rollout);
  const auto following = value_of_cut_off(step);
  for (std::int64_t i = 0; i < environments_.count(); ++i)
    after[static_cast<std::size_t>(i * steps_ + t)] = following.const_data_ptr<float>()[i];
  if (actor_.ended) actor_.ended(step);
}

/// [envs] What the state is worth that a time limit cut off; 0 elsewhere.
Tensor Collector::value_of_cut_off(const environments::VectorStep& step) const {
  const auto cut = step.truncated.logical_and(step.terminated.logical_not());
  if (!cut.any().item<bool>()) return at::zeros({environments_.count()}, at::kFloat);
  const auto values = actor_.values(step.final_observations);
  return at::zeros_like(values).masked_scatter(cut, values.masked_select(cut));
}

Rollout Collector::collect(bool keep_states) {
  const at::NoGradGuard no_gradient;
  auto rollout = room(keep_states);
  std::vector<float> after(rollout.places.size());
  for (std::int64_t t = 0; t < steps_; ++t) act(t, rollout, after);
  rollout.starts = starts_of(rollout, steps_);
  const auto last = actor_.values(environments_.observations()).contiguous();
  std::vector<float> of_sequences;
  for (std::size_t i = 1; i < rollout.starts.size(); ++i) {
    const auto end = rollout.starts[i] - 1;
    of_sequences.push_back(rollout.ended[static_cast<std::size_t>(end)] ? after[static_cast<std::size_t>(end)]
                                                                        : last.const_data_ptr<float>()[end / steps_]);
  }
  rollout.after = at::tensor(of_sequences, at::kFloat);
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
                .earned = at::empty({environments_, steps_}, at::kFloat),
                .places = std::vector<environments::Place>(count),
                .ended = std::vector<std::uint8_t>(count),
                .states = std::vector<std::string>(count)};
    rollout_.sent = rollout_.actions;
  }
  rollout_.observations.select(1, now_).copy_(seen);
  rollout_.actions.select(1, now_).copy_(actions);
  note_places(environments, now_, rollout_);
}

bool Recorder::after(const environments::VectorStep& step) {
  rollout_.rewards.select(1, now_).copy_(step.rewards);
  rollout_.earned.select(1, now_).copy_(environments::earned(step));
  rollout_.next.select(1, now_).copy_(outcomes_of(step));
  note_ends(step, now_, rollout_);
  return ++now_ == steps_;
}

Rollout Recorder::take() {
  rollout_.starts = starts_of(rollout_, steps_);
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
