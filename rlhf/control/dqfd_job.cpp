#include "rlhf/control/detail/best_actions.h"
#include "rlhf/control/detail/job_world.h"
#include "rlhf/control/dqfd.h"
#include "rlhf/control/jobs.h"

namespace rlhf::control {
namespace {

/// First from what was shown alone, then from that and from what it does.
class DqfdJob final : public algorithms::Job {
 public:
  explicit DqfdJob(environments::EnvironmentTable environments) : world_{std::move(environments)} {}

  void fields(Fields& f) override {
    world_.settings.fields(f);
    demonstrations_.fields(f);
    config_.fields(f);
    world_.examination_field(f, "best");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make_for_replay(config_.envs, run);
    const auto shown = demonstrations_.episodes_of(environments->spec());
    DqfdLearner learner(environments->spec(), config_);
    if (!run.restored()) learner.pretrain(shown, {}, config_.pretrain_updates, 0);
    learner.train(*environments, {.demonstrations = shown}, run);
    const auto act = [&](const Tensor& seen) { return best_choice(learner.network(), seen); };
    world_.examine(*environments, act, config_.seed, run);
  }

 private:
  JobWorld world_;
  DemonstrationSettings demonstrations_;
  DqfdConfig config_;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_dqfd_job(environments::EnvironmentTable environments) {
  return std::make_unique<DqfdJob>(std::move(environments));
}

}  // namespace rlhf::control
