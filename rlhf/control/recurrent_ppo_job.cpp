#include "rlhf/control/detail/job_world.h"
#include "rlhf/control/jobs.h"
#include "rlhf/control/recurrent_ppo.h"

namespace rlhf::control {
namespace {

class RecurrentPpoJob final : public algorithms::Job {
 public:
  explicit RecurrentPpoJob(environments::EnvironmentTable environments) : world_{std::move(environments)} {}

  void fields(Fields& f) override {
    world_.settings.fields(f);
    f.group("agent", agent_, "policy, value and memory");
    config_.fields(f);
    world_.examination_field(f, "likeliest");
  }

  void run(Run& run) override {
    const auto environments = world_.make(config_.envs, run);
    models::RecurrentActorCritic agent(environments->spec(), agent_);
    train(agent, *environments, config_, {}, run);
    if (!world_.examines(run)) return;
    const auto fresh = world_.like(*environments, run);
    RecurrentPlayer player(agent, fresh->count());
    const auto act = [&](const Tensor& seen) { return player.act(seen); };
    const auto ended = [&](const environments::VectorStep& step) { player.ended(step); };
    world_.play_for_results(*fresh, act, config_.seed, run, ended);
  }

 private:
  JobWorld world_;
  models::RecurrentConfig agent_;
  PpoConfig config_{.envs = 8, .minibatch = 256};
};

}  // namespace

std::unique_ptr<algorithms::Job> make_recurrent_ppo_job(environments::EnvironmentTable environments) {
  return std::make_unique<RecurrentPpoJob>(std::move(environments));
}

}  // namespace rlhf::control
