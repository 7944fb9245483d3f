#include "rlhf/algorithms/detail/ppo_checks.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/equal.h>

#include <cmath>

#include "rlhf/algorithms/trainable.h"
#include "rlhf/core/error.h"
#include "rlhf/models/lora.h"

namespace rlhf::algorithms {

void require_ready(const PpoModels& models, const PpoHooks& hooks) {
  if (models.reference == nullptr && !has_adapters(models.policy))
    throw Error({.category = Category::usage,
                 .where = "ppo",
                 .what = "all weights are trained, and there is no reference to measure the KL to",
                 .fix = "Pass a frozen copy as the reference, or attach an adapter."});
  if (!hooks.generate || !hooks.reward || !hooks.write_model)
    throw Error({.category = Category::usage, .where = "ppo", .what = "the hooks generate, reward and write_model are needed", .fix = "Fill them in."});
}

// Ziegler et al. 2019, section 4.4: a flipped sign trained a model for the opposite of what people wanted, overnight.
void require_sign(const PpoConfig& config, const PpoHooks& hooks) {
  if (!config.sign_test || !hooks.sign_test) return;
  const auto& [prompt, good, bad] = *hooks.sign_test;
  const auto scores = hooks.reward(std::vector{prompt, prompt}, std::vector{good, bad});
  if (scores.at(0).value > scores.at(1).value) return;
  throw Error({.category = Category::check,
               .where = "sign_test",
               .what = "the reward gives the known-good sample " + std::to_string(scores[0].value) + " and the known-bad one " +
                       std::to_string(scores[1].value),
               .fix = "Look for a flipped sign in the reward, or set sign_test = false."});
}

bool starts_as_reference(const PpoModels& models) {
  const at::NoGradGuard no_grad;
  if (models.reference == nullptr) {
    for (const auto& [name, tensor] : models::lora_parameters(models.policy))
      if (name.ends_with("lora_B.weight") && tensor.count_nonzero().item<std::int64_t>() != 0) return false;
    return true;
  }
  if (has_adapters(models.policy)) return false;
  const auto reference = models.reference->weights();
  for (const auto& [name, tensor] : models.policy.weights()) {
    const auto other = reference.find(name);
    if (other == reference.end() || !at::equal(other->second, tensor)) return false;
  }
  return true;
}

// Rounding may differ where a library splits its sums by chance; more than that is a fault.
void require_exact_start(const PpoMetrics& metrics, bool starts_equal) {
  const bool wrong_ratio = metrics.ratio_start > 1e-4, wrong_kl = starts_equal && std::abs(metrics.kl) > 1e-4;
  if (!wrong_ratio && !wrong_kl) return;
  throw Error({.category = Category::check,
               .where = "ppo: step 0",
               .what = "before any update the KL to the reference is " + std::to_string(metrics.kl) + " and a ratio is off 1 by " +
                       std::to_string(metrics.ratio_start) + "; both should be exactly 0",
               .fix = "The forward pass is not repeatable: look for dropout, or a model that changes between two calls."});
}

}  // namespace rlhf::algorithms
