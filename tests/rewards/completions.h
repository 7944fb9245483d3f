#pragma once
#include <string>
#include <vector>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

/// Completions with these texts, each an answer to a prompt of its own; token ids are as many as bytes.
struct Answers {
  std::vector<data::Prompt> prompts;
  std::vector<data::Completion> completions;

  explicit Answers(const std::vector<std::string>& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      prompts.push_back({.id = "p" + std::to_string(i), .messages = {}, .text = "prompt " + std::to_string(i), .ids = {}, .row = {{"n", i}}});
      auto& completion = completions.emplace_back();
      completion.prompt_id = prompts.back().id;
      completion.ids = TokenIds(texts[i].size(), 1);
      completion.text = texts[i];
    }
  }

  std::vector<Score> scored_by(const RewardFn& reward) const { return reward(prompts, completions); }
};

}  // namespace rlhf::rewards
