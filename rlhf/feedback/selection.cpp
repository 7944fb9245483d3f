#include "rlhf/feedback/selection.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::feedback {
namespace {

struct Scored {
  QueueEntry entry;
  double score;
};

std::vector<Scored> score_open(const Store& store, const std::function<double(const Question&)>& score,
                               std::int64_t most) {
  std::vector<Scored> scored;
  for (auto& entry : store.queue({.state = QueueFilter::State::open, .form = {}, .limit = most})) {
    if (!entry.question.round.empty() || entry.question.gold) continue;
    const double value = score(entry.question);
    if (!std::isfinite(value)) {
      throw Error({.category = Category::check,
                   .where = "question " + entry.question.id,
                   .what = "its score is " + std::to_string(value),
                   .fix = "The score must be a finite number."});
    }
    scored.push_back({std::move(entry), value});
  }
  return scored;
}

}  // namespace

// Each change is a Requeue in the log, not a silent update: which questions were asked depends on the priorities, so
// whoever reads the answers later must be able to see why these were chosen. A run asks for hundreds of labels a round;
// that many entries cost less than the labels' own.
std::int64_t prioritise(Store& store, const std::function<double(const Question&)>& score,
                        const SelectionOptions& options) {
  if (!(options.random_share >= 0 && options.random_share <= 1)) {
    throw Error({.category = Category::usage,
                 .where = "random_share",
                 .what = "it is " + std::to_string(options.random_share),
                 .fix = "Give a share from 0 to 1."});
  }
  auto scored = score_open(store, score, options.most);
  std::stable_sort(scored.begin(), scored.end(), [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.entry.question.id < b.entry.question.id;
  });
  Random random(derive(options.seed, {hash("feedback/selection"), static_cast<std::uint64_t>(store.latest())}));
  std::int64_t changed = 0;
  const auto count = static_cast<double>(scored.size());
  for (std::size_t rank = 0; !scored.empty(); ++rank) {
    // At every turn: with the random share any one that is left, otherwise the best that is left.
    const bool any = random.uniform() < options.random_share;
    const auto pick = any ? static_cast<std::ptrdiff_t>(random.uniform() * static_cast<double>(scored.size())) : 0;
    const auto chosen = scored.begin() + pick;
    const double priority = 1.0 - static_cast<double>(rank) / count;
    if (chosen->entry.priority != priority) {
      store.requeue(chosen->entry.question.id,
                    {.priority = priority, .answers = {}, .reason = any ? "selection: random" : "selection: score"});
      ++changed;
    }
    scored.erase(chosen);
  }
  return changed;
}

}  // namespace rlhf::feedback
