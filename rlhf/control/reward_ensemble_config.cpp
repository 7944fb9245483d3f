#include "rlhf/control/reward_ensemble.h"

#include "rlhf/core/error.h"

namespace rlhf::control {

void RewardEnsembleConfig::fields(Fields& f) {
  f.choice("fit_to", fit_to, {{"comparisons", FitTo::comparisons}, {"returns", FitTo::returns}},
           "comparisons, or what the clips earned in truth, which simulated teachers know alone");
  f.field("members", members, "reward models whose mean is taken");
  f.group("network", network, "of each member");
  f.field("noise", noise, "share of answers taken to be coin tosses");
  f.field("learning_rate", learning_rate, "of each member's Adam");
  f.field("minibatch", minibatch, "comparisons in an optimiser step");
  f.field("l2", l2, "weight decay at the start");
  f.field("adapt_l2", adapt_l2, "keep the held-out loss between 1.1 and 1.5 times the training loss by moving l2");
  f.field("deviation", deviation, "standard deviation of the rewards given to the learner; for PPO, 0.1");
  f.field("centred", centred, "the rewards' mean is 0; false where episodes differ in length");
  f.field("prior", prior, "weight of the mean square of the rewards in the loss");
  f.field("input_noise", input_noise, "standard deviation of the noise on what is read while fitting");
  f.field("dropout", dropout, "share of hidden units left out while fitting");
  f.field("measured", measured, "comparisons drawn each time to measure losses, l2 and normalisation on; 0 = all");
  f.field("seed", seed, "of first weights and minibatches");
}

void RewardEnsembleConfig::validate() const {
  const auto require = [](bool holds, const char* field, const char* fix) {
    if (!holds) throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
  };
  require(members >= 1, "members", "Give 1 or more.");
  require(noise >= 0 && noise < 1, "noise", "Give a share from 0 to below 1.");
  require(learning_rate > 0, "learning_rate", "Give a positive number.");
  require(minibatch >= 1, "minibatch", "Give 1 or more.");
  require(l2 >= 0, "l2", "Give 0 or more.");
  require(deviation > 0, "deviation", "Give a positive number.");
  require(prior >= 0, "prior", "Give 0 or more.");
  require(input_noise >= 0, "input_noise", "Give 0 or more.");
  require(dropout >= 0 && dropout < 1, "dropout", "Give a share from 0 to below 1.");
  require(measured >= 0, "measured", "Give 0 or more.");
}

}  // namespace rlhf::control
