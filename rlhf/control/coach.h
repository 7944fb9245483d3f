#pragma once
#include "rlhf/control/tabular.h"
#include "rlhf/core/seed.h"

namespace rlhf::control {

/// A learner that a trainer's feedback teaches, in a world that is a table.
class TaughtLearner {
 public:
  virtual ~TaughtLearner() = default;
  virtual const TabularPolicy& policy() const = 0;
  /// `feedback` on having done `action` in `state`; `move` is what came of it.
  virtual void learn(std::int64_t state, std::int64_t action, const TabularWorld::Move& move, double feedback) = 0;
  virtual void begin_episode() {}
};

/// COACH (MacGlashan et al. 2017, arXiv:1701.06049): feedback takes the place of the advantage in an actor's update,
/// because people judge an action by the policy that they are used to:
///
///   e <- trace e + grad log pi(action | state),   theta <- theta + rate * feedback * e
///
/// with pi a softmax over one number for each state and action, all 0 at first. Traces start anew with an episode.
class TabularCoach final : public TaughtLearner {
 public:
  TabularCoach(std::int64_t states, std::int64_t actions, double rate, double trace = 0.0);

  const TabularPolicy& policy() const override { return policy_; }
  void learn(std::int64_t state, std::int64_t action, const TabularWorld::Move& move, double feedback) override;
  void begin_episode() override;

 private:
  double rate_, trace_;
  TabularPolicy scores_, traces_, policy_;
};

/// TAMER (Knox and Stone 2009) with a table: the mean feedback of each action is what it is worth, and the best is
/// done; equals share their chance.
class TabularTamer final : public TaughtLearner {
 public:
  TabularTamer(std::int64_t states, std::int64_t actions, double rate);
  const TabularPolicy& policy() const override { return policy_; }
  void learn(std::int64_t state, std::int64_t action, const TabularWorld::Move& move, double feedback) override;

 private:
  double rate_;
  TabularPolicy predicted_, policy_;
};

/// Q-learning that takes the feedback for a reward, with a share of random actions.
class TabularQ final : public TaughtLearner {
 public:
  TabularQ(std::int64_t states, std::int64_t actions, double rate, double gamma = 0.99, double epsilon = 0.1);
  const TabularPolicy& policy() const override { return policy_; }
  void learn(std::int64_t state, std::int64_t action, const TabularWorld::Move& move, double feedback) override;

 private:
  double rate_, gamma_, epsilon_;
  TabularPolicy values_, policy_;
};

}  // namespace rlhf::control
