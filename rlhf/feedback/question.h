#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rlhf/data/completion.h"
#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// Where a question comes from. Together with the prompt and the samples it makes the question's id.
struct Origin {
  std::string run;             // the run's name
  std::string stage;           // "labels", "round-2", "final"
  std::uint64_t seed = 0;      // of the order shown and of the split
  double heldout_share = 0.0;  // of questions whose answers test instead of train, 0..1
  std::string guideline;
  std::string form = "";        // a built-in form; empty = by the number of items: rating, pair, best_of_n
  bool split_by_prompt = true;  // all questions on one prompt train or all of them test; false: each for itself
};

/// "run/stage/v3/prompt-id/0": equal for equal origins, so that publishing again changes nothing.
std::string question_id(const Origin& origin, std::int64_t policy_version, std::string_view prompt_id,
                        int first_sample);

/// A question on completions of one prompt. The order shown is a function of (seed, id), the split of (seed, prompt
/// id). Throws rlhf::Error when there is no completion.
Question ask(const Origin& origin, const data::Prompt& prompt, std::span<const data::Completion> completions);

}  // namespace rlhf::feedback
