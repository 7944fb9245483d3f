// A replay buffer in a checkpoint.
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "rlhf/control/replay.h"

namespace rlhf::control {

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
  std::vector<double> priorities;
  for (std::int64_t place = 0; place < used; ++place) priorities.push_back(priorities_[place]);
  state.tensors[prefix + ".priorities"] = at::tensor(priorities, at::kDouble);
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
  const auto priorities = stored("priorities");
  for (std::int64_t place = 0; place < priorities.numel(); ++place)
    priorities_.set(place, priorities.const_data_ptr<double>()[place]);
}

}  // namespace rlhf::control
