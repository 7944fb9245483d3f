#pragma once
#include <memory>

#include "rlhf/algorithms/job.h"
#include "rlhf/control/environment_settings.h"

namespace rlhf::control {

// What `rlhf train` runs in these environments: settings as a Job lists them, metrics and checkpoints in the run's
// folder, and where an examination is wanted, results.json with the returns and agent.png with the agent at play.

std::unique_ptr<algorithms::Job> make_ppo_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_a2c_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_recurrent_ppo_job(environments::EnvironmentTable environments);
std::unique_ptr<algorithms::Job> make_dqfd_job(environments::EnvironmentTable environments);
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
