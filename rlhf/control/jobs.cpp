#include "rlhf/control/jobs.h"

#include <fmt/format.h>

#include "rlhf/control/a2c.h"
#include "rlhf/control/caql.h"
#include "rlhf/control/detail/best_actions.h"
#include "rlhf/control/dqn.h"
#include "rlhf/control/film.h"
#include "rlhf/control/ppo.h"
#include "rlhf/control/sac.h"
#include "rlhf/control/td3.h"
#include "rlhf/core/error.h"
#include "rlhf/environments/partly_seen.h"

namespace rlhf::control {

void EnvironmentSettings::fields(Fields& f) {
  f.field("environment", environment, "what is played; `rlhf env ls` lists them");
  f.field("settings", settings, R"(of the environment, as JSON: {"max_steps": 200})");
  f.field("wrappers", wrappers, R"(around it: ["sticky_actions 0.25", "frame_stack 4"], see environments/wrappers.h)");
  f.field("evaluation", evaluation, R"(settings that differ in the examination at the end: {"clip_reward": false})");
  f.field("threads", threads, "that step slow environments");
  f.field("observe", observe, "the numbers of an observation that the agent sees, counted from 0; empty = all");
  f.group("normalization", normalization, "of what the agent sees and learns from");
}

namespace {

nlohmann::json object_in(const std::string& text, const char* field) {
  if (text.empty()) return nlohmann::json::object();
  auto given = nlohmann::json::parse(text, nullptr, false);
  if (!given.is_object())
    throw Error({.category = Category::usage,
                 .where = field,
                 .what = "is no JSON object: " + text,
                 .fix = R"(Write it like settings='{"max_steps": 200}'.)"});
  return given;
}

std::function<void(std::string_view)> warnings_of(Run& run) {
  return [&run](std::string_view text) { run.warn(text); };
}

}  // namespace

nlohmann::json EnvironmentSettings::given() const {
  auto object = object_in(settings, "settings");
  for (const auto& wrapper : wrappers) object["wrappers"].push_back(wrapper);
  return object;
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::plain(
    const environments::EnvironmentTable& table, std::int64_t count,
    std::function<void(std::string_view)> report) const {
  auto all = environments::make_vector(table, environment, given(),
                                       {.count = count, .threads = threads, .report = std::move(report)});
  return observe.empty() ? std::move(all) : environments::partly_seen(std::move(all), observe);
}

std::unique_ptr<environments::Environment> EnvironmentSettings::make_one(
    const environments::EnvironmentTable& table) const {
  return environments::make_environment(table, environment, given());
}

EnvironmentSettings EnvironmentSettings::for_evaluation() const {
  auto same = *this;
  auto given = object_in(settings, "settings");
  given.update(object_in(evaluation, "evaluation"));
  same.settings = given.empty() ? "" : given.dump();
  return same;
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::make(
    const environments::EnvironmentTable& table, std::int64_t count,
    std::function<void(std::string_view)> report) const {
  return environments::normalized(plain(table, count, std::move(report)), normalization);
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::make_like(
    const environments::VectorEnvironment& trained, const environments::EnvironmentTable& table, std::int64_t count,
    std::function<void(std::string_view)> report) const {
  return environments::as_seen_in(trained, plain(table, count, std::move(report)));
}

void write_returns(std::span<const double> returns, Run& run) {
  const std::vector<double> all(returns.begin(), returns.end());
  run.write_file("results.json", nlohmann::json{{"mean_return", mean(all)}, {"returns", all}}.dump(2) + "\n");
  run.note(fmt::format("mean return of {} episodes: {:.2f}", all.size(), mean(all)));
}

void evaluate_at_end(const EnvironmentSettings& world, const environments::VectorEnvironment& trained,
                     const environments::EnvironmentTable& table, const Act& act, std::int64_t episodes,
                     std::uint64_t seed, Run& run) {
  const auto examined = world.for_evaluation();
  const auto environments = examined.make_like(trained, table, std::min<std::int64_t>(episodes, 10), warnings_of(run));
  const auto whole = episodes / environments->count() * environments->count();
  const auto returns = play(*environments, act, whole, derive(seed, {hash("evaluation")}));
  write_returns(returns, run);
  if (const auto* seen = dynamic_cast<const environments::Normalized*>(&trained))
    run.write_file("normalization.json", seen->statistics().dump(2) + "\n");
  film(*examined.make_like(trained, table, 1), *examined.make_one(table), act, derive(seed, {hash("film")}),
       run.folder() / "agent.png");
}

namespace {

/// A job of an agent that learns from what it just did.
template <class Config>
class OnPolicyJob final : public algorithms::Job {
 public:
  explicit OnPolicyJob(environments::EnvironmentTable environments) : environments_(std::move(environments)) {}

  void fields(Fields& f) override {
    world_.fields(f);
    f.group("agent", agent_, "policy and value");
    config_.fields(f);
    f.field("evaluate", evaluate_, "episodes played at the end, the likeliest action each; 0 = none");
  }

  void run(Run& run) override {
    config_.validate();
    const auto environments = world_.make(environments_, config_.envs, warnings_of(run));
    models::ActorCritic agent(environments->spec(), agent_);
    train(agent, *environments, config_, {}, run);
    if (evaluate_ == 0 || run.stop_requested()) return;
    evaluate_at_end(world_, *environments, environments_, greedy(agent), evaluate_, config_.seed, run);
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  models::ActorCriticConfig agent_;
  Config config_;
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
    const auto environments = world_.make(environments_, config_.envs, warnings_of(run));
    const auto agent = train(*environments, config_, {}, run);
    if (evaluate_ == 0 || run.stop_requested()) return;
    const auto act = [&](const Tensor& seen) { return best(*agent, seen); };
    evaluate_at_end(world_, *environments, environments_, act, evaluate_, config_.seed, run);
  }

 private:
  environments::EnvironmentTable environments_;
  EnvironmentSettings world_;
  Config config_;
  std::int64_t evaluate_ = 50;
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
