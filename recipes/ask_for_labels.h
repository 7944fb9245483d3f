#pragma once
#include <functional>
#include <span>
#include <vector>

#include "rlhf/data/completion.h"
#include "rlhf/data/prompt.h"
#include "rlhf/feedback/labeler.h"
#include "rlhf/feedback/question.h"
#include "rlhf/feedback/store.h"

namespace rlhf::recipes {

/// How many questions to ask, and about what.
struct AskOptions {
  feedback::Origin origin;           // run, stage, seed, share held out
  std::int64_t policy_version = 0;
  std::int64_t questions = 0;        // in all, spread evenly over the prompts
  std::int64_t items = 4;            // completions a question shows
  std::function<bool()> stop_requested;
  std::function<void(std::int64_t asked)> progress;
};

/// Completions of one prompt, `num` of them, from the policy that is asked about.
using SampleFn = std::function<std::vector<data::Completion>(std::span<const data::Prompt>, std::int64_t num)>;

/// Samples completions and publishes questions about them, prompt by prompt. What an interrupted call had published
/// already is not sampled again, and would be the same. Returns false when it was asked to stop.
bool ask_for_labels(feedback::Store& store, std::span<const data::Prompt> prompts, const SampleFn& sample,
                    const AskOptions& options);

}  // namespace rlhf::recipes
