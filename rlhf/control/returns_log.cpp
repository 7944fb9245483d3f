#include "rlhf/control/returns_log.h"

namespace rlhf::control {
namespace {

constexpr std::int64_t longest_stretch = 1000;  // steps

/// How long the file was at the checkpoint that the run goes on from.
std::uint64_t bytes_at_checkpoint(const Run& run) {
  if (!run.restored()) return 0;
  const auto& values = run.restored()->state.values;
  return values.contains("preferences") ? values["preferences"].value("returns", std::uint64_t{0}) : 0;
}

}  // namespace

ReturnsLog::ReturnsLog(const Run& run) : file_(run.folder() / "returns.jsonl", bytes_at_checkpoint(run)) {}

void ReturnsLog::add(std::int64_t index, const Rollout& rollout, const Tensor& predicted) {
  const auto envs = predicted.size(0), steps = predicted.size(1);
  stretches_.resize(static_cast<std::size_t>(envs));
  const auto paid = predicted.to(at::kDouble).contiguous(), truth = rollout.earned.to(at::kDouble).contiguous();
  for (std::int64_t at = 0; at < envs * steps; ++at) {
    auto& sum = stretches_[static_cast<std::size_t>(at / steps)];
    const auto& place = rollout.places[static_cast<std::size_t>(at)];
    if (place.episode != sum.episode) sum = {.episode = place.episode, .from_start = place.step == 0};
    ++sum.steps;
    sum.predicted += paid.const_data_ptr<double>()[at];
    sum.earned += truth.const_data_ptr<double>()[at];
    if (!rollout.ended[static_cast<std::size_t>(at)] && sum.steps < longest_stretch) continue;
    const nlohmann::json row{{"step", index},
                             {"env", at / steps},
                             {"length", sum.steps},
                             {"predicted", sum.predicted},
                             {"earned", sum.earned}};
    if (sum.from_start) file_.append(row.dump() + "\n");
    sum = {.episode = place.episode, .from_start = true};  // of the next piece, where the episode goes on
  }
}

void ReturnsLog::save(nlohmann::json& record) {
  file_.sync();
  record["returns"] = file_.size();
  for (const auto& [episode, steps, predicted, earned, from_start] : stretches_)
    record["stretches"].push_back({episode, steps, predicted, earned, from_start});
}

void ReturnsLog::restore(const nlohmann::json& record) {
  for (const auto& sum : record.value("stretches", nlohmann::json::array()))
    stretches_.push_back({sum.at(0), sum.at(1), sum.at(2), sum.at(3), sum.at(4)});
}

}  // namespace rlhf::control
