#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "rlhf/algorithms/job.h"
#include "rlhf/control/episodes.h"
#include "rlhf/environments/normalization.h"
#include "rlhf/environments/table.h"

namespace rlhf::control {

/// The environment that a job's agent acts in, as settings name it.
struct EnvironmentSettings {
  std::string environment = "cart_pole";
  std::string settings;               // a JSON object; empty = the environment's own defaults
  std::string evaluation;             // settings that differ in the examination at the end: {"clip_reward": false}
  std::vector<std::string> wrappers;  // "frame_stack 4"; the first is next to the environment
  int threads = 1;                    // for environments whose step is slow
  std::vector<std::int64_t> observe;  // the numbers of an observation that the agent sees; empty = all
  environments::NormalizationConfig normalization;

  void fields(Fields& f);
  /// `report` hears of what stops nothing, see VectorOptions. Throws rlhf::Error (usage) for an unknown environment or
  /// setting.
  std::unique_ptr<environments::VectorEnvironment> make(const environments::EnvironmentTable& table, std::int64_t count,
                                                        std::function<void(std::string_view)> report = nullptr) const;
  /// The same, to examine an agent that was trained in `trained`: normalised by what was seen there, and by no more.
  std::unique_ptr<environments::VectorEnvironment> make_like(
      const environments::VectorEnvironment& trained, const environments::EnvironmentTable& table, std::int64_t count,
      std::function<void(std::string_view)> report = nullptr) const;

  /// One of it, wrapped but not normalised: to draw states.
  std::unique_ptr<environments::Environment> make_one(const environments::EnvironmentTable& table) const;

  /// The same world as it is examined.
  EnvironmentSettings for_evaluation() const;

 private:
  nlohmann::json given() const;
  std::unique_ptr<environments::VectorEnvironment> plain(const environments::EnvironmentTable& table,
                                                         std::int64_t count,
                                                         std::function<void(std::string_view)> report) const;
};

/// An agent's last examination: results.json, a line for people, and a film where it can be drawn.
/// Observations are scaled by what `trained`, the environments it learnt in, had seen at the end.
void evaluate_at_end(const EnvironmentSettings& world, const environments::VectorEnvironment& trained,
                     const environments::EnvironmentTable& table, const Act& act, std::int64_t episodes,
                     std::uint64_t seed, Run& run);
/// The first two of these, and no film.
void write_returns(std::span<const double> returns, Run& run);

std::unique_ptr<algorithms::Job> make_ppo_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_a2c_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_recurrent_ppo_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_dqn_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_sac_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_td3_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_caql_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_cql_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_discrete_cql_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_bc_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_dagger_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_gail_job(environments::EnvironmentTable environments);

}  // namespace rlhf::control
