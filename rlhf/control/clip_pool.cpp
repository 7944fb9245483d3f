#include "rlhf/control/clip_pool.h"

#include <algorithm>

namespace rlhf::control {
namespace {

constexpr std::int64_t most_test_pairs = 500;

double true_return(const Clip& clip) { return judged_return(clip.segment, 1.0); }
double earned_more(const ClipPair& pair) { return true_return(pair.first) - true_return(pair.second); }

}  // namespace

ClipPool::ClipPool(environments::Spec spec, RewardInputs inputs, const PreferenceConfig& config)
    : spec_(std::move(spec)), inputs_(std::move(inputs)), config_(config) {}

Clip ClipPool::clip_at(const Rollout& rollout, std::pair<std::int64_t, std::int64_t> place,
                       std::int64_t version) const {
  const auto [env, begin] = place;
  const auto steps = [&](const Tensor& of) { return of[env].narrow(0, begin, config_.clip_steps); };
  return {.segment = cut(spec_, rollout, env, begin, config_.clip_steps, version),
          .inputs = inputs_.of_clip(steps(rollout.observations), steps(rollout.sent), steps(rollout.next))};
}

void ClipPool::keep(const Rollout& rollout, std::int64_t version, std::int64_t count) {
  const auto places = places_for(rollout, config_.clip_steps);
  if (places.empty()) return;
  Random random(derive(config_.seed, {hash("clips"), static_cast<std::uint64_t>(version + 1),
                                      static_cast<std::uint64_t>(clips_.size())}));
  const auto any = [&] {
    return clip_at(rollout, places[static_cast<std::size_t>(random.below(std::ssize(places)))], version);
  };
  for (std::int64_t i = 0; i < count; ++i) {
    clips_.push_back(any());
    if (std::ssize(clips_) > config_.clips) clips_.pop_front();
  }
  const auto pairs = std::max<std::int64_t>(4, config_.rollout_clips / 4);
  for (std::int64_t i = 0; i < pairs; ++i) sample({any(), any()}, random);
}

/// Of the test pairs that ever were, each is among those that are kept with the same chance (reservoir sampling).
void ClipPool::sample(ClipPair pair, Random& random) {
  ++offered_;
  if (std::ssize(test_) < most_test_pairs) return test_.push_back(std::move(pair));
  const auto place = random.below(offered_);
  if (place < most_test_pairs) test_[static_cast<std::size_t>(place)] = std::move(pair);
}

void ClipPool::save(nlohmann::json& record) const {
  record["clips"] = record["test"] = nlohmann::json::array();
  record["test_offered"] = offered_;
  for (const auto& clip : clips_) record["clips"].push_back(data::to_json(clip.segment));
  for (const auto& [first, second] : test_)
    record["test"].push_back({data::to_json(first.segment), data::to_json(second.segment)});
}

void ClipPool::restore(const nlohmann::json& record, environments::Environment& replayer) {
  const auto clip = [&](const nlohmann::json& json) {
    auto segment = data::segment_from_json(json, "checkpoint");
    auto inputs = inputs_.of(replayer, segment);
    return Clip{std::move(segment), std::move(inputs)};
  };
  for (const auto& segment : record.at("clips")) clips_.push_back(clip(segment));
  for (const auto& pair : record.at("test")) test_.emplace_back(clip(pair.at(0)), clip(pair.at(1)));
  offered_ = record.value("test_offered", std::ssize(test_));
}

double test_accuracy(const RewardEnsemble& reward, const std::vector<ClipPair>& pairs) {
  std::vector<ClipComparison> decided;
  for (const auto& pair : pairs) {
    const double gap = earned_more(pair);
    if (gap == 0) continue;
    decided.push_back({.first = pair.first.inputs, .second = pair.second.inputs, .preferred = gap > 0 ? 1.0 : 0.0});
  }
  return reward.accuracy(decided);
}

std::vector<ClipJudgement> test_margins(const RewardEnsemble& reward, const std::vector<ClipPair>& pairs) {
  if (pairs.empty()) return {};
  std::vector<ClipComparison> asked;
  for (const auto& [first, second] : pairs) asked.push_back({.first = first.inputs, .second = second.inputs});
  const auto chances = reward.probabilities(asked).mean(0).to(at::kDouble).clamp(1e-9, 1 - 1e-9).logit().contiguous();
  std::vector<ClipJudgement> margins;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    margins.push_back({chances.const_data_ptr<double>()[i], earned_more(pairs[i])});
  return margins;
}

std::vector<ClipJudgement> test_clips(const RewardEnsemble& reward, const std::vector<ClipPair>& pairs) {
  std::vector<ClipJudgement> clips;
  for (const auto& [first, second] : pairs)
    for (const auto* clip : {&first, &second})
      clips.push_back({reward.rewards(clip->inputs).sum().item<double>(), true_return(*clip)});
  return clips;
}

}  // namespace rlhf::control
