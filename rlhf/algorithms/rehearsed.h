#pragma once
#include "rlhf/algorithms/live_learner.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/rollout.h"

namespace rlhf::algorithms {

/// What an agent does that only seems to learn, as shares of its actions that are random.
struct RehearsedConfig {
  std::int64_t episodes = 6;  // that come before what is judged
  double bad = 0.9, middling = 0.5, good = 0.1;
  std::uint64_t seed = 1;

  void fields(Fields& f) {
    f.field("episodes", episodes, "that come before those whose feedback is compared");
    f.field("bad", bad, "share of actions at random of an agent that is bad at it");
    f.field("middling", middling, "of one that is middling: what all of them do in the end");
    f.field("good", good, "of one that is good at it");
    f.field("seed", seed, "of what is done at random");
  }
  void validate() const;
};

/// Seems to learn, and does not: acts with one share of random actions for some episodes, and with another from then
/// on. With equal seeds that last part is the same whatever came before it, so that feedback on it can be compared:
/// does what people say about an action depend on what they are used to (MacGlashan et al. 2017, arXiv:1701.06049)?
class Rehearsed final : public LiveLearner {
 public:
  /// `before`: the share of random actions of the first episodes. Throws rlhf::Error (usage) for an environment that no
  /// scripted agent plays.
  Rehearsed(const environments::Spec& spec, double before, const RehearsedConfig& config);

  data::Action act(const data::Array& observation) override;
  void observe(const LiveStep& step) override;
  void signal(const LiveSignal&) override {}
  bool undo(std::int64_t) override { return true; }  // it taught nothing
  void interrupt() override {}
  void publish() override {}
  std::int64_t version() const override { return 0; }
  std::string state() const override;

 private:
  RehearsedConfig config_;
  environments::Policy first_, then_;
  Random before_, after_;
  std::int64_t episodes_ = 0;  // that are over
};

}  // namespace rlhf::algorithms
