#include "rlhf/control/cql.h"
#include "rlhf/control/detail/best_actions.h"
#include "rlhf/control/detail/job_world.h"
#include "rlhf/control/discrete_cql.h"
#include "rlhf/control/jobs.h"

namespace rlhf::control {
namespace {

/// A job of an agent that learns from recorded episodes: the environment only examines it.
template <class Config, auto train, auto best>
class OfflineJob final : public algorithms::Job {
 public:
  explicit OfflineJob(environments::EnvironmentTable environments) : world_{std::move(environments)} {}

  void fields(Fields& f) override {
    world_.settings.fields(f);
    f.field("data", data_, "JSONL of episodes, as `rlhf env record` writes them");
    config_.fields(f);
    world_.examination_field(f, "best");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make(1, run);  // only to be told of: nothing is played while learning
    const auto& spec = environments->spec();
    const auto played = episodes_in(data_, "data", spec, "--noise 0.3 --out played.jsonl");
    const auto agent = train(spec, played, config_, run);
    const auto act = [&](const Tensor& seen) { return best(*agent, seen); };
    world_.examine(*environments, act, config_.seed, run);
  }

 private:
  JobWorld world_;
  std::filesystem::path data_;
  Config config_;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_cql_job(environments::EnvironmentTable environments) {
  return std::make_unique<OfflineJob<CqlConfig, train_cql, best_numbers>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_discrete_cql_job(environments::EnvironmentTable environments) {
  return std::make_unique<OfflineJob<DiscreteCqlConfig, train_discrete_cql, best_choice>>(std::move(environments));
}

}  // namespace rlhf::control
