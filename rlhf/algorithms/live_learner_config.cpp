#include "rlhf/algorithms/live_learner_config.h"

namespace rlhf::algorithms {

void LiveLearnerConfig::fields(Fields& f) {
  f.choice(
      "learner", learner,
      {{"tamer", LiveLearnerKind::tamer},
       {"coach", LiveLearnerKind::coach},
       {"deep_coach", LiveLearnerKind::deep_coach},
       {"improving", LiveLearnerKind::improving},
       {"steady", LiveLearnerKind::steady},
       {"degrading", LiveLearnerKind::degrading}},
      "takes signals for labels of actions (tamer) or for advantages (coach; deep_coach learns from each many times); "
      "the others learn nothing and only seem to, for a study of how people judge");
  f.group("tamer", tamer, "how tamer learns from signals");
  f.group("coach", coach, "how coach learns from signals");
  f.group("deep_coach", deep_coach, "how deep_coach learns from signals");
  f.group("rehearsed", rehearsed, "what those do that only seem to learn");
}

void LiveLearnerConfig::validate() const {
  tamer.validate();
  coach.validate();
  deep_coach.validate();
  rehearsed.validate();
}

bool needs_encoder(const environments::Spec& spec, const LiveLearnerConfig& config) {
  switch (config.learner) {
    case LiveLearnerKind::tamer:
      return needs_encoder(spec, config.tamer);
    case LiveLearnerKind::coach:
    case LiveLearnerKind::deep_coach:
      return shows_pictures(spec);
    default:
      return false;
  }
}

std::unique_ptr<LiveLearner> make_live_learner(const environments::Spec& spec, const LiveLearnerConfig& config,
                                               std::vector<double> scale,
                                               std::shared_ptr<const models::FrameAutoencoder> frames) {
  switch (config.learner) {
    case LiveLearnerKind::coach:
      return make_coach(spec, config.coach, std::move(scale), std::move(frames));
    case LiveLearnerKind::deep_coach:
      return make_deep_coach(spec, config.deep_coach, std::move(scale), std::move(frames));
    case LiveLearnerKind::improving:
      return std::make_unique<Rehearsed>(spec, config.rehearsed.bad, config.rehearsed);
    case LiveLearnerKind::steady:
      return std::make_unique<Rehearsed>(spec, config.rehearsed.middling, config.rehearsed);
    case LiveLearnerKind::degrading:
      return std::make_unique<Rehearsed>(spec, config.rehearsed.good, config.rehearsed);
    case LiveLearnerKind::tamer:
      break;
  }
  return make_tamer(spec, config.tamer, std::move(scale), std::move(frames));
}

}  // namespace rlhf::algorithms
