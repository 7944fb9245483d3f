#pragma once
#include <memory>

#include "rlhf/algorithms/job.h"
#include "rlhf/environments/table.h"

namespace rlhf::control {

/// The environment that a job's agent acts in, as settings name it.
struct EnvironmentSettings {
  std::string environment = "cart_pole";
  std::string settings;  // a JSON object; empty = the environment's own defaults
  int threads = 1;       // for environments whose step is slow

  void fields(Fields& f);
  /// Throws rlhf::Error (usage) for an unknown environment or setting.
  std::unique_ptr<environments::VectorEnvironment> make(const environments::EnvironmentTable& table,
                                                        std::int64_t count) const;
  /// One of it, without what agents see it through: to draw states.
  std::unique_ptr<environments::Environment> make_one(const environments::EnvironmentTable& table) const;

 private:
  nlohmann::json given() const;
};

std::unique_ptr<algorithms::Job> make_ppo_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_dqn_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_sac_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_td3_job(environments::EnvironmentTable environments);

}  // namespace rlhf::control
