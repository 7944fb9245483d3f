#include "rlhf/control/dagger.h"
#include "rlhf/control/detail/job_world.h"
#include "rlhf/control/gail.h"
#include "rlhf/control/jobs.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::control {
namespace {

/// What the three jobs of imitation share: a world, an agent, and its examination at the end.
class ImitationJob : public algorithms::Job {
 public:
  explicit ImitationJob(environments::EnvironmentTable environments) : world_{std::move(environments)} {}

  void fields(Fields& f) override {
    world_.settings.fields(f);
    f.group("agent", agent_, "policy and value");
    imitation_fields(f);
    world_.examination_field(f, "likeliest");
  }

  void run(Run& run) override {
    const auto environments = world_.make(count(), run);
    models::ActorCritic agent(environments->spec(), agent_);
    imitate(agent, *environments, run);
    world_.examine(*environments, greedy(agent), seed(), run);
  }

 protected:
  virtual void imitation_fields(Fields& f) = 0;
  virtual void imitate(models::ActorCritic& agent, environments::VectorEnvironment& environments, Run& run) = 0;
  virtual std::int64_t count() const { return 1; }
  virtual std::uint64_t seed() const = 0;

  JobWorld world_;
  models::ActorCriticConfig agent_{.network = {.hidden = {32, 32}}};
};

class BcJob final : public ImitationJob {
 public:
  using ImitationJob::ImitationJob;

 private:
  void imitation_fields(Fields& f) override {
    demonstrations_.fields(f);
    config_.fields(f);
  }
  void imitate(models::ActorCritic& agent, environments::VectorEnvironment& environments, Run& run) override {
    const auto& spec = environments.spec();
    train(agent, shown_in(spec, demonstrations_.episodes_of(spec)), config_, run);
  }
  std::uint64_t seed() const override { return config_.seed; }

  DemonstrationSettings demonstrations_;
  BcConfig config_;
};

class DaggerJob final : public ImitationJob {
 public:
  using ImitationJob::ImitationJob;

 private:
  void imitation_fields(Fields& f) override {
    f.field("expert", expert_, "who is asked: scripted, or the folder of a trained agent's checkpoint");
    config_.fields(f);
  }
  void imitate(models::ActorCritic& agent, environments::VectorEnvironment& environments, Run& run) override {
    const auto& spec = environments.spec();
    const auto alone = environments::make_environment(world_.table, spec.name, spec.settings);
    if (expert_ == "scripted") return train(agent, *alone, environments::scripted_agent(spec), config_, run);
    const auto trained = models::ActorCritic::open(spec, expert_);
    train(agent, *alone, policy_of(trained, spec), config_, run);
  }
  std::uint64_t seed() const override { return config_.cloning.seed; }

  std::string expert_ = "scripted";
  DaggerConfig config_;
};

class GailJob final : public ImitationJob {
 public:
  using ImitationJob::ImitationJob;

 private:
  void imitation_fields(Fields& f) override {
    demonstrations_.fields(f);
    config_.fields(f);
  }
  void imitate(models::ActorCritic& agent, environments::VectorEnvironment& environments, Run& run) override {
    const auto& spec = environments.spec();
    train(agent, environments, shown_in(spec, demonstrations_.episodes_of(spec)), config_, run);
  }
  std::int64_t count() const override { return config_.ppo.envs; }
  std::uint64_t seed() const override { return config_.ppo.seed; }

  DemonstrationSettings demonstrations_;
  GailConfig config_;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_bc_job(environments::EnvironmentTable environments) {
  return std::make_unique<BcJob>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_dagger_job(environments::EnvironmentTable environments) {
  return std::make_unique<DaggerJob>(std::move(environments));
}

std::unique_ptr<algorithms::Job> make_gail_job(environments::EnvironmentTable environments) {
  return std::make_unique<GailJob>(std::move(environments));
}

}  // namespace rlhf::control
