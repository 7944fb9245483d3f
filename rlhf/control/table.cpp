#include "rlhf/control/table.h"

#include "rlhf/control/jobs.h"

namespace rlhf::control {

algorithms::AlgorithmTable builtin_algorithms(environments::EnvironmentTable environments) {
  return {{"control_ppo", [environments] { return make_ppo_job(environments); }},
          {"dqn", [environments] { return make_dqn_job(environments); }},
          {"sac", [environments] { return make_sac_job(environments); }},
          {"td3", [environments] { return make_td3_job(environments); }}};
}

}  // namespace rlhf::control
