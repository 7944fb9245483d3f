#include "rlhf/control/table.h"

#include "rlhf/control/jobs.h"

namespace rlhf::control {

algorithms::AlgorithmTable builtin_algorithms(environments::EnvironmentTable environments) {
  return {{"control_ppo", [environments] { return make_ppo_job(environments); }},
          {"recurrent_ppo", [environments] { return make_recurrent_ppo_job(environments); }},
          {"a2c", [environments] { return make_a2c_job(environments); }},
          {"caql", [environments] { return make_caql_job(environments); }},
          {"cql", [environments] { return make_cql_job(environments); }},
          {"discrete_cql", [environments] { return make_discrete_cql_job(environments); }},
          {"bc", [environments] { return make_bc_job(environments); }},
          {"dagger", [environments] { return make_dagger_job(environments); }},
          {"gail", [environments] { return make_gail_job(environments); }},
          {"dqfd", [environments] { return make_dqfd_job(environments); }},
          {"dqn", [environments] { return make_dqn_job(environments); }},
          {"sac", [environments] { return make_sac_job(environments); }},
          {"td3", [environments] { return make_td3_job(environments); }}};
}

}  // namespace rlhf::control
