#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/core/fields.h"
#include "rlhf/core/tensor.h"
#include "rlhf/data/comparison.h"
#include "rlhf/data/example.h"
#include "rlhf/models/heads.h"
#include "rlhf/models/language_model.h"
#include "rlhf/rewards/score.h"

namespace rlhf::algorithms {

enum class Pooling {
  last_token,       // the state at the example's `scored` token: what language models with a score head do
  completion_mean,  // the mean over the tokens whose mask is 1
  sequence_mean,    // the mean over all tokens
};

/// What a reward model reads from its trunk.
struct RewardReading {
  /// -1: after the final norm, as it is. k: after k layers (0 = the embeddings), each position divided by its root mean square.
  /// Several are laid side by side; each costs a forward pass down to that layer.
  std::vector<std::int64_t> layers = {-1};
  Pooling pooling = Pooling::last_token;
  bool adapters = true;  // false: a trunk shared with a policy is read as if it had no adapter

  void fields(Fields& f);
};

/// score = gain * (head · features) + bias. The trunk is borrowed: it may be the policy's own, frozen.
struct RewardModel {
  const models::LanguageModel* trunk = nullptr;
  RewardReading reading;
  models::ScalarHead head;  // over [layers * width]
  Tensor gain, bias;        // [1]

  /// [examples] -> [examples, layers * width]; differentiable where the trunk is being trained.
  Tensor features(std::span<const data::Example> examples, bool recompute = false) const;

  /// [examples, layers * width] -> [examples].
  Tensor read(const Tensor& features) const;
};

/// A head that starts small and random (heads.h), gain 1 and bias 0.
RewardModel make_reward_model(const models::LanguageModel& trunk, RewardReading reading, std::uint64_t seed);

/// Prompt and completion as a reward model reads them: mask over the completion, scored at its last token.
data::Example scored_example(const TokenIds& prompt, const TokenIds& completion);

/// Features and scores in passes of at most `micro_tokens` tokens, without gradients.
Tensor pooled_features(const RewardModel& model, std::span<const data::Example> examples, std::int64_t micro_tokens = 8192);
Tensor score(const RewardModel& model, std::span<const data::Example> examples, std::int64_t micro_tokens = 8192);

/// Sets gain and bias so that these scores of samples get mean 0 and standard deviation 1 (Ziegler et al. 2019): the KL coefficient
/// then means the same for every reward model. `scores` are the model's own. Throws rlhf::Error when they are all equal.
void normalise(RewardModel& model, const Tensor& scores);

/// For PPO, best of n, oracles. The model lives as long as the function; its trunk has to outlive both.
rewards::RewardFn reward_function(std::shared_ptr<const RewardModel> model);

/// head.safetensors (weight, bias, gain, bias of the score) and reward.json (what it reads, and from which base). The trunk's
/// own weights are not written: a frozen trunk has none of its own, a trained one is saved beside it by its owner.
void save_head(const RewardModel& model, const std::filesystem::path& folder, const std::string& base);

/// Throws rlhf::Error when the folder holds no head, or one for another shape of trunk.
RewardModel load_head(const models::LanguageModel& trunk, const std::filesystem::path& folder);

}  // namespace rlhf::algorithms
