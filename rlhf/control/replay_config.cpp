#include "rlhf/control/replay.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void ReplayConfig::fields(Fields& f) {
  f.field("capacity", capacity, "transitions kept, the newest");
  f.field("steps", steps, "n of n-step returns");
  f.field("gamma", gamma, "discount per step, 0..1");
  f.field("prioritised", prioritised, "draw what surprised most the oftenest");
  f.field("alpha", alpha, "how much priorities count; 0 = uniform");
  f.field("beta", beta, "how much of the priorities' bias is weighed out at the start ...");
  f.field("beta_end", beta_end, "... and at the end");
  f.field("epsilon", epsilon, "added to the size of an error");
  f.field("demonstration_bonus", demonstration_bonus, "added to the size of an error of what was demonstrated");
}

void ReplayConfig::validate() const {
  require_setting(capacity >= 1, "capacity", "Keep 1 or more.");
  require_setting(steps >= 1, "steps", "Give 1 or more.");
  require_setting(gamma >= 0 && gamma <= 1, "gamma", "Give a number from 0 to 1.");
  require_setting(alpha >= 0 && alpha <= 1, "alpha", "Give a number from 0 to 1.");
  require_setting(beta >= 0 && beta <= 1, "beta", "Give a number from 0 to 1.");
  require_setting(beta_end >= 0 && beta_end <= 1, "beta_end", "Give a number from 0 to 1.");
  require_setting(demonstration_bonus >= 0, "demonstration_bonus", "Give 0 or more.");
  require_setting(epsilon > 0, "epsilon", "Give a positive number.");
}

}  // namespace rlhf::control
