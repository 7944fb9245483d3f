#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/data/comparison.h"
#include "rlhf/data/rating.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

/// What the feedback in a store says, as rows to train on and rows to test on. Answers taken back and skips are left
/// out.
struct Labels {
  std::vector<data::Comparison> train, heldout;
  std::vector<data::Rating> train_ratings, heldout_ratings;
  std::vector<std::int64_t> train_events, heldout_events;                // sequence numbers of the comparisons
  std::vector<std::int64_t> train_rating_events, heldout_rating_events;  // and of the ratings
  std::int64_t cursor =
      0;  // everything up to this sequence number was seen; reading up to it again gives the same rows
};

/// Reads the log up to and including sequence number `until` (-1 = all there is), in commit order.
Labels read_labels(const Store& store, std::int64_t until = -1);

/// Waits until the store holds `wanted` training comparisons (undone ones not counted) or the time is over, then reads.
Labels wait_for_labels(const Store& store, std::int64_t wanted, std::chrono::duration<double> timeout);

}  // namespace rlhf::feedback
