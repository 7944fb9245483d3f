#include "rlhf/control/jobs.h"

#include <fmt/format.h>

#include "rlhf/control/ppo.h"
#include "rlhf/core/error.h"

namespace rlhf::control {

void EnvironmentSettings::fields(Fields& f) {
  f.field("environment", environment, "what is played; `rlhf env ls` lists them");
  f.field("settings", settings, R"(of the environment, as JSON: {"max_steps": 200})");
  f.field("threads", threads, "that step slow environments");
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::make(const environments::EnvironmentTable& table,
                                                                           std::int64_t count) const {
  nlohmann::json given;
  if (!settings.empty()) {
    given = nlohmann::json::parse(settings, nullptr, false);
    if (!given.is_object())
      throw Error({.category = Category::usage,
                   .where = "settings",
                   .what = "is no JSON object: " + settings,
                   .fix = R"(Write it like settings='{"max_steps": 200}'.)"});
  }
  return environments::make_vector(table, environment, given, {.count = count, .threads = threads});
}

namespace {

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
    const auto fresh = world_.make(environments_, std::min<std::int64_t>(evaluate_, 10));
    const auto returns = play(*fresh, greedy(agent), evaluate_ / fresh->count() * fresh->count(),
                              derive(config_.seed, {hash("evaluation")}));
    run.write_file("results.json", nlohmann::json{{"mean_return", mean(returns)}, {"returns", returns}}.dump(2) + "\n");
    run.note(fmt::format("mean return of {} episodes: {:.2f}", returns.size(), mean(returns)));
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  models::ActorCriticConfig agent_;
  PpoConfig config_;
  std::int64_t evaluate_ = 50;
};

}  // namespace

std::unique_ptr<algorithms::Job> make_ppo_job(environments::EnvironmentTable environments) {
  return std::make_unique<PpoJob>(std::move(environments));
}

}  // namespace rlhf::control
