#include "rlhf/control/jobs.h"

#include <ATen/ops/argmax.h>
#include <fmt/format.h>

#include "rlhf/control/dqn.h"
#include "rlhf/control/film.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/sac.h"
#include "rlhf/control/td3.h"
#include "rlhf/core/error.h"

namespace rlhf::control {

void EnvironmentSettings::fields(Fields& f) {
  f.field("environment", environment, "what is played; `rlhf env ls` lists them");
  f.field("settings", settings, R"(of the environment, as JSON: {"max_steps": 200})");
  f.field("threads", threads, "that step slow environments");
}

nlohmann::json EnvironmentSettings::given() const {
  if (settings.empty()) return nullptr;
  auto object = nlohmann::json::parse(settings, nullptr, false);
  if (object.is_object()) return object;
  throw Error({.category = Category::usage,
               .where = "settings",
               .what = "is no JSON object: " + settings,
               .fix = R"(Write it like settings='{"max_steps": 200}'.)"});
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::make(const environments::EnvironmentTable& table,
                                                                           std::int64_t count) const {
  return environments::make_vector(table, environment, given(), {.count = count, .threads = threads});
}

std::unique_ptr<environments::Environment> EnvironmentSettings::make_one(
    const environments::EnvironmentTable& table) const {
  return environments::make_environment(table, environment, given());
}

namespace {

/// The agent's last examination: results.json, a line for people, and a film where it can be drawn.
void evaluate_at_end(const EnvironmentSettings& world, const environments::EnvironmentTable& table, const Act& act,
                     std::int64_t episodes, std::uint64_t seed, Run& run) {
  const auto environments = world.make(table, std::min<std::int64_t>(episodes, 10));
  const auto whole = episodes / environments->count() * environments->count();
  const auto returns = play(*environments, act, whole, derive(seed, {hash("evaluation")}));
  run.write_file("results.json", nlohmann::json{{"mean_return", mean(returns)}, {"returns", returns}}.dump(2) + "\n");
  run.note(fmt::format("mean return of {} episodes: {:.2f}", returns.size(), mean(returns)));
  film(*world.make(table, 1), *world.make_one(table), act, derive(seed, {hash("film")}), run.folder() / "agent.png");
}

class PpoJob final : public algorithms::Job {
 public:
  explicit PpoJob(environments::EnvironmentTable environments) : environments_(std::move(environments)) {}

  void fields(Fields& f) override {
    world_.fields(f);
    f.group("agent", agent_, "policy and value");
    config_.fields(f);
    f.field("evaluate", evaluate_, "episodes played at the end, the likeliest action each; 0 = none");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make(environments_, config_.envs);
    models::ActorCritic agent(environments->spec(), agent_);
    train(agent, *environments, config_, {}, run);
    if (evaluate_ == 0 || run.stop_requested()) return;
    evaluate_at_end(world_, environments_, greedy(agent), evaluate_, config_.seed, run);
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  models::ActorCriticConfig agent_;
  PpoConfig config_;
  std::int64_t evaluate_ = 50;
};

/// A job of an off-policy agent: `train` gives an agent whose best actions can be asked for.
template <class Config, auto train, auto best>
class OffPolicyJob final : public algorithms::Job {
 public:
  explicit OffPolicyJob(environments::EnvironmentTable environments) : environments_(std::move(environments)) {}

  void fields(Fields& f) override {
    world_.fields(f);
    config_.fields(f);
    f.field("evaluate", evaluate_, "episodes played at the end, the best action each; 0 = none");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make(environments_, config_.envs);
    const auto agent = train(*environments, config_, {}, run);
    if (evaluate_ == 0 || run.stop_requested()) return;
    const auto act = [&](const Tensor& seen) { return best(*agent, seen); };
    evaluate_at_end(world_, environments_, act, evaluate_, config_.seed, run);
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  Config config_;
  std::int64_t evaluate_ = 50;
};

constexpr auto best_choice = [](const QNetwork& network, const Tensor& seen) {
  return at::argmax(network.values(seen), 1);
};
constexpr auto best_numbers = [](const auto& agent, const Tensor& seen) {
  return agent.range().to_environment(agent.best(seen));
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

std::unique_ptr<algorithms::Job> make_ppo_job(environments::EnvironmentTable environments) {
  return std::make_unique<PpoJob>(std::move(environments));
}

}  // namespace rlhf::control
