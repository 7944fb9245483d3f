#include "rlhf/control/jobs.h"

#include "rlhf/control/a2c.h"
#include "rlhf/control/caql.h"
#include "rlhf/control/detail/best_actions.h"
#include "rlhf/control/detail/job_world.h"
#include "rlhf/control/dqn.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/sac.h"
#include "rlhf/control/signal_reward.h"
#include "rlhf/control/td3.h"
#include "rlhf/core/error.h"

namespace rlhf::control {
namespace {

/// A job of an agent that learns from what it just did.
template <class Config>
class OnPolicyJob final : public algorithms::Job {
 public:
  explicit OnPolicyJob(environments::EnvironmentTable environments) : world_{std::move(environments)} {}

  void fields(Fields& f) override {
    world_.settings.fields(f);
    f.group("agent", agent_, "policy and value");
    config_.fields(f);
    f.field("reward_model", reward_model_,
            "folder of a reward model that `rlhf session --relearn LOG --reward-model` made: it pays the agent");
    world_.examination_field(f, "likeliest");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make(config_.envs, run);
    models::ActorCritic agent(environments->spec(), agent_);
    const auto reward = paying(environments->spec());
    train(agent, *environments, config_, reward ? reward->hooks() : OnPolicyHooks{}, run);
    world_.examine(*environments, greedy(agent), config_.seed, run);
  }

 private:
  std::optional<SignalReward> paying(const environments::Spec& spec) const {
    if (reward_model_.empty()) return std::nullopt;
    if (world_.settings.normalization.any())
      throw Error({.category = Category::usage,
                   .where = "normalization",
                   .what = "the reward model reads observations as they are, and its rewards are not normalised",
                   .fix = "Leave it off with reward_model."});
    return std::optional<SignalReward>(std::in_place, reward_model_, spec);
  }

  JobWorld world_;
  std::string reward_model_;
  models::ActorCriticConfig agent_;
  Config config_;
};

/// A job of an off-policy agent: `train` gives an agent whose best actions can be asked for.
template <class Config, auto train, auto best>
class OffPolicyJob final : public algorithms::Job {
 public:
  explicit OffPolicyJob(environments::EnvironmentTable environments) : world_{std::move(environments)} {}

  void fields(Fields& f) override {
    world_.settings.fields(f);
    config_.fields(f);
    world_.examination_field(f, "best");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make_for_replay(config_.envs, run);
    const auto agent = train(*environments, config_, {}, run);
    const auto act = [&](const Tensor& seen) { return best(*agent, seen); };
    world_.examine(*environments, act, config_.seed, run);
  }

 private:
  JobWorld world_;
  Config config_;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_dqn_job(environments::EnvironmentTable environments) {
  return std::make_unique<OffPolicyJob<DqnConfig, train_dqn, best_choice>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_sac_job(environments::EnvironmentTable environments) {
  return std::make_unique<OffPolicyJob<SacConfig, train_sac, best_numbers>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_td3_job(environments::EnvironmentTable environments) {
  return std::make_unique<OffPolicyJob<Td3Config, train_td3, best_numbers>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_caql_job(environments::EnvironmentTable environments) {
  return std::make_unique<OffPolicyJob<CaqlConfig, train_caql, best_numbers>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_ppo_job(environments::EnvironmentTable environments) {
  return std::make_unique<OnPolicyJob<PpoConfig>>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_a2c_job(environments::EnvironmentTable environments) {
  return std::make_unique<OnPolicyJob<A2cConfig>>(std::move(environments));
}

}  // namespace rlhf::control
