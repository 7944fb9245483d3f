#pragma once
#include "rlhf/algorithms/deep_coach.h"
#include "rlhf/algorithms/rehearsed.h"
#include "rlhf/algorithms/tamer.h"

namespace rlhf::algorithms {

/// What the signals of a session are taken for.
enum class LiveLearnerKind {
  tamer,       // labels of actions
  coach,       // advantages
  deep_coach,  // advantages, learnt from many times
  improving,
  steady,
  degrading  // nothing: see rehearsed.h
};

/// A learner for a session, and the settings of all kinds.
struct LiveLearnerConfig {
  LiveLearnerKind learner = LiveLearnerKind::tamer;
  TamerConfig tamer;
  CoachConfig coach;
  DeepCoachConfig deep_coach;
  RehearsedConfig rehearsed;

  void fields(Fields& f);
  void validate() const;
};

/// Does it see this environment through an encoder?
bool needs_encoder(const environments::Spec& spec, const LiveLearnerConfig& config);

/// `scale`: what each number of an observation is multiplied by, by default feature_scale. Throws rlhf::Error (usage)
/// where the learner and the environment do not suit each other, and for pictures without the encoder that they need.
std::unique_ptr<LiveLearner> make_live_learner(const environments::Spec& spec, const LiveLearnerConfig& config,
                                               std::vector<double> scale,
                                               std::shared_ptr<const models::FrameAutoencoder> frames);

}  // namespace rlhf::algorithms
