#include "rlhf/feedback/collect.h"

namespace rlhf::feedback {

std::int64_t answer_all(Store& store, Labeler& labeler, const CollectOptions& options) {
  std::int64_t answered = 0;
  while (options.limit == 0 || answered < options.limit) {
    if (options.stop_requested && options.stop_requested()) break;
    const auto assignment = store.lease(options.annotator, options.lease);
    if (!assignment) break;
    try {
      store.answer(*assignment, labeler.answer(assignment->question));
    } catch (...) {
      store.release(*assignment);
      throw;
    }
    ++answered;
    if (options.progress) options.progress(answered);
  }
  return answered;
}

}  // namespace rlhf::feedback
