#include "rlhf/control/behaviour_cloning.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "rlhf/control/detail/descend.h"
#include "rlhf/core/require.h"

namespace rlhf::control {

void BcConfig::fields(Fields& f) {
  f.field("epochs", epochs, "passes over what was shown");
  f.field("batch", batch, "steps in an optimiser step");
  f.field("learning_rate", learning_rate, "of Adam");
  f.field("entropy_weight", entropy_weight, "of the policy's entropy");
  f.field("l2", l2, "of half the squares of the weights");
  f.group("adam", adam, "the optimiser");
  f.field("checkpoint_every", checkpoint_every, "passes between checkpoints; 0 = at the end only");
  f.field("seed", seed, "of everything that chance decides");
}

void BcConfig::validate() const {
  require_setting(epochs >= 1, "epochs", "Give 1 or more.");
  require_setting(batch >= 1, "batch", "Give 1 or more.");
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  require_setting(entropy_weight >= 0, "entropy_weight", "Give 0 or more.");
  require_setting(l2 >= 0, "l2", "Give 0 or more.");
}

void BcMetrics::log(MetricRow& row) const {
  row.add("bc/neglogp", negative_logprob);
  row.add("bc/entropy", entropy);
  row.add("bc/agreement", agreement);
  row.add("bc/steps", static_cast<double>(steps));
}

BcLoss bc_loss(const models::ActorCritic& agent, const Shown& batch, const BcConfig& config) {
  const auto policy = agent.policy(agent.encode()(batch.observations));
  const auto judged = models::judge(policy, batch.actions);
  const auto negative = -judged.logprobs.mean(), entropy = judged.entropy.mean();
  auto loss = negative - config.entropy_weight * entropy;
  if (config.l2 > 0)
    for (const auto& [name, weight] : agent.weights()) loss = loss + 0.5 * config.l2 * weight.square().sum();
  BcLoss result{.loss = loss,
                .metrics = {.negative_logprob = negative.item<double>(), .entropy = entropy.item<double>()}};
  if (batch.actions.dim() == 1)
    result.metrics.agreement = (models::mode(policy) == batch.actions).to(at::kDouble).mean().item<double>();
  return result;
}

BcMetrics imitate(const models::ActorCritic& agent, algorithms::AdamW& optimizer, const Shown& shown,
                  const BcConfig& config, std::int64_t pass) {
  Random random(derive(config.seed, {hash("minibatches"), static_cast<std::uint64_t>(pass)}));
  BcMetrics metrics{.steps = shown.steps()};
  for (const auto& rows : at::tensor(random.permutation(shown.steps())).split(config.batch)) {
    const auto result = bc_loss(agent, shown.at(rows), config);
    descend(optimizer, result.loss, config.learning_rate);
    const double share = static_cast<double>(rows.numel()) / static_cast<double>(shown.steps());
    metrics.negative_logprob += share * result.metrics.negative_logprob;
    metrics.entropy += share * result.metrics.entropy;
    metrics.agreement += share * result.metrics.agreement;
  }
  return metrics;
}

void train(models::ActorCritic& agent, const Shown& shown, const BcConfig& config, Run& run) {
  config.validate();
  algorithms::AdamW optimizer(agent.weights(), config.adam);
  if (const auto& before = run.restored()) {
    agent.restore(before->model_folder);
    optimizer.restore(before->state, "optimizer");
  }
  const auto write_model = [&](const std::filesystem::path& folder) { agent.save(folder); };
  run.progress().start("imitating", config.epochs, run.first_step());
  for (std::int64_t pass = run.first_step(); pass < config.epochs; ++pass) {
    run.report(pass, imitate(agent, optimizer, shown, config, pass));
    run.progress().advance(1);
    const bool stop = run.stop_requested(), last = pass + 1 == config.epochs;
    if (last || stop || (config.checkpoint_every > 0 && (pass + 1) % config.checkpoint_every == 0)) {
      State state;
      optimizer.save(state, "optimizer");
      run.checkpoint(pass, write_model, state);
    }
    if (stop && !last) break;
  }
  run.progress().finish();
}

}  // namespace rlhf::control
