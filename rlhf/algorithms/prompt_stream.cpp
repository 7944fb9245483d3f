#include "rlhf/algorithms/prompt_stream.h"

#include "rlhf/algorithms/minibatch.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {

PromptStream::PromptStream(std::vector<data::Prompt> prompts, std::uint64_t seed)
    : prompts_(std::move(prompts)), seed_(derive(seed, {hash("prompt stream")})) {
  if (prompts_.empty())
    throw Error({.category = Category::bad_data, .where = "prompts", .what = "there is none", .fix = "Give a file with at least one prompt."});
  for (const auto& prompt : prompts_)
    if (prompt.ids.empty())
      throw Error({.category = Category::bad_data,
                   .where = "prompts: " + prompt.id,
                   .what = "the prompt has no token, so nothing predicts the first token of its completion",
                   .fix = "Remove it, or start it with the model's beginning-of-text token."});
}

std::vector<data::Prompt> PromptStream::next(std::int64_t count) {
  std::vector<data::Prompt> result;
  result.reserve(count);
  for (std::int64_t i = 0; i < count; ++i, ++cursor_) {
    const std::int64_t pass = cursor_ / size();
    if (pass != pass_) {
      order_ = shuffled(size(), derive(seed_, {static_cast<std::uint64_t>(pass)}));
      pass_ = pass;
    }
    result.push_back(prompts_[order_[cursor_ % size()]]);
  }
  return result;
}

void PromptStream::seek(std::int64_t cursor) { cursor_ = cursor; }

}  // namespace rlhf::algorithms
