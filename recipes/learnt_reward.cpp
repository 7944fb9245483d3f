#include "recipes/learnt_reward.h"

#include "rlhf/evaluation/calibration.h"

namespace rlhf::recipes {
namespace {

/// Each pair as two samples of one prompt, the second of which is worth nothing.
evaluation::Calibration calibration_of(const std::vector<control::ClipJudgement>& margins) {
  std::vector<double> learned, earned;
  std::vector<std::string> pair;
  for (std::size_t i = 0; i < margins.size(); ++i) {
    learned.insert(learned.end(), {margins[i].predicted, 0});
    earned.insert(earned.end(), {margins[i].earned, 0});
    pair.insert(pair.end(), 2, std::to_string(i));
  }
  return evaluation::calibration(learned, earned, pair);
}

}  // namespace

void write_learnt_reward(const control::Preferences& preferences, Run& run) {
  auto clips = nlohmann::json::array();
  for (const auto& clip : preferences.test_clips())
    clips.push_back({{"predicted", clip.predicted}, {"earned", clip.earned}});
  if (clips.empty()) return;
  const nlohmann::json all{{"calibration", calibration_of(preferences.test_margins()).to_json()}, {"clips", clips}};
  run.write_file("learnt_reward.json", all.dump() + "\n");
}

}  // namespace rlhf::recipes
