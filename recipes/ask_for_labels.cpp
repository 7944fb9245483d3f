#include "recipes/ask_for_labels.h"

#include <algorithm>

namespace rlhf::recipes {
namespace {

constexpr std::int64_t completions_at_once = 256;  // enough rows for the matrix products, little to lose when interrupted

/// Questions that fall to the prompt with this index.
std::int64_t share_of(std::int64_t index, std::int64_t prompts, std::int64_t questions) {
  return questions / prompts + (index < questions % prompts ? 1 : 0);
}

}  // namespace

bool ask_for_labels(feedback::Store& store, std::span<const data::Prompt> prompts, const SampleFn& sample,
                    const AskOptions& options) {
  const auto count = std::min(static_cast<std::int64_t>(prompts.size()), options.questions);  // each has one at least
  const auto largest = share_of(0, count, options.questions);
  const auto at_once = std::max<std::int64_t>(1, completions_at_once / std::max<std::int64_t>(1, largest * options.items));
  std::int64_t asked = 0;
  for (std::int64_t first = 0; first < count; first += at_once) {
    const auto group = prompts.subspan(first, std::min(at_once, count - first));
    const auto last_share = share_of(first + static_cast<std::int64_t>(group.size()) - 1, count, options.questions);
    const auto last_id = feedback::question_id(options.origin, options.policy_version, group.back().id,
                                               static_cast<int>((last_share - 1) * options.items));
    if (!store.question(last_id)) {
      const auto completions = sample(group, largest * options.items);
      std::vector<feedback::Question> questions;
      for (std::size_t i = 0; i < group.size(); ++i) {
        const auto share = share_of(first + static_cast<std::int64_t>(i), count, options.questions);
        const auto* mine = completions.data() + static_cast<std::int64_t>(i) * largest * options.items;
        for (std::int64_t question = 0; question < share; ++question) {
          questions.push_back(feedback::ask(options.origin, group[i],
                                            {mine + question * options.items, static_cast<std::size_t>(options.items)}));
        }
      }
      store.publish(questions);
    }
    for (std::size_t i = 0; i < group.size(); ++i) asked += share_of(first + static_cast<std::int64_t>(i), count, options.questions);
    if (options.progress) options.progress(asked);
    if (options.stop_requested && options.stop_requested()) return false;
  }
  return true;
}

}  // namespace rlhf::recipes
