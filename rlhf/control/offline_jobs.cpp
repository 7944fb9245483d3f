#include "rlhf/control/cql.h"
#include "rlhf/control/detail/best_actions.h"
#include "rlhf/control/discrete_cql.h"
#include "rlhf/control/jobs.h"
#include "rlhf/core/error.h"
#include "rlhf/data/trajectory_file.h"

namespace rlhf::control {
namespace {

/// A job of an agent that learns from recorded episodes: the environment only examines it.
template <class Config, auto train, auto best>
class OfflineJob final : public algorithms::Job {
 public:
  explicit OfflineJob(environments::EnvironmentTable environments) : environments_(std::move(environments)) {}

  void fields(Fields& f) override {
    world_.fields(f);
    f.field("data", data_, "JSONL of episodes, as `rlhf env record` writes them");
    config_.fields(f);
    f.field("evaluate", evaluate_, "episodes played at the end, the best action each; 0 = none");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make(environments_, 1);  // only to be told of: nothing is played while learning
    const auto& spec = environments->spec();
    if (data_.empty())
      throw Error({.category = Category::usage,
                   .where = "data",
                   .what = "no file is named",
                   .fix = "Record some: rlhf env record " + spec.name + " --noise 0.3 --out played.jsonl"});
    const auto agent = train(spec, data::read_trajectories(data_), config_, run);
    if (evaluate_ == 0 || run.stop_requested()) return;
    const auto act = [&](const Tensor& seen) { return best(*agent, seen); };
    evaluate_at_end(world_, *environments, environments_, act, evaluate_, config_.seed, run);
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  std::filesystem::path data_;
  Config config_;
  std::int64_t evaluate_ = 50;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_cql_job(environments::EnvironmentTable environments) {
  return std::make_unique<OfflineJob<CqlConfig, train_cql, best_numbers>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_discrete_cql_job(environments::EnvironmentTable environments) {
  return std::make_unique<OfflineJob<DiscreteCqlConfig, train_discrete_cql, best_choice>>(std::move(environments));
}

}  // namespace rlhf::control
