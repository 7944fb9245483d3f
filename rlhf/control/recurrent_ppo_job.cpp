#include "rlhf/control/jobs.h"
#include "rlhf/control/recurrent_ppo.h"

namespace rlhf::control {
namespace {

class RecurrentPpoJob final : public algorithms::Job {
 public:
  explicit RecurrentPpoJob(environments::EnvironmentTable environments) : environments_(std::move(environments)) {}

  void fields(Fields& f) override {
    world_.fields(f);
    f.group("agent", agent_, "policy, value and memory");
    config_.fields(f);
    f.field("evaluate", evaluate_, "episodes played at the end, the likeliest action each; 0 = none");
  }

  void run(Run& run) override {
    const auto environments = world_.make(environments_, config_.envs);
    models::RecurrentActorCritic agent(environments->spec(), agent_);
    train(agent, *environments, config_, {}, run);
    if (evaluate_ == 0 || run.stop_requested()) return;
    const auto fresh = world_.make(environments_, std::min<std::int64_t>(evaluate_, 10));
    RecurrentPlayer player(agent, fresh->count());
    write_returns(play(
                      *fresh, [&](const Tensor& seen) { return player.act(seen); },
                      evaluate_ / fresh->count() * fresh->count(), derive(config_.seed, {hash("evaluation")}),
                      [&](const environments::VectorStep& step) { player.ended(step); }),
                  run);
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  models::RecurrentConfig agent_;
  PpoConfig config_{.envs = 8, .minibatch = 256};
  std::int64_t evaluate_ = 50;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_recurrent_ppo_job(environments::EnvironmentTable environments) {
  return std::make_unique<RecurrentPpoJob>(std::move(environments));
}

}  // namespace rlhf::control
