#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rlhf/data/comparison.h"
#include "rlhf/data/rating.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

/// A text that somebody wrote as the right answer to a prompt: a demonstration, or a corrected completion.
struct WrittenAnswer {
  data::Prompt prompt;
  std::string text;
};

/// Rows of one side of the split. The events beside them are the sequence numbers they came from.
struct LabelRows {
  std::vector<data::Comparison> comparisons;  // a ranking of K items gives one for each pair it orders
  std::vector<std::int64_t> comparison_events;
  std::vector<data::Rating> ratings;  // of the form's first axis
  std::vector<std::int64_t> rating_events;
  std::vector<WrittenAnswer> written;
  std::vector<std::int64_t> written_events;
};

/// What the feedback in a store says, as rows to train on and rows to test on. Answers taken back, skips and
/// "incomparable" are left out.
struct Labels {
  LabelRows train, heldout;
  std::int64_t cursor =
      0;  // everything up to this sequence number was seen; reading up to it again gives the same rows
};

/// Whose answers count, and to questions about which completions.
struct LabelFilter {
  std::vector<std::string> annotators;  // empty = all
  std::vector<std::string> not_annotators;
  std::vector<std::string> guidelines;  // versions; empty = all
  std::int64_t oldest_policy = 0;       // policy version of the items
  std::function<bool(Source)> source = nullptr;
  std::function<void(Question&)> prepare = nullptr;  // before a question becomes rows: encodes texts without token ids
};

/// Reads the log up to and including sequence number `until` (-1 = all there is), in commit order. Gold questions and
/// qualification rounds do not train.
Labels read_labels(const Store& store, std::int64_t until = -1, const LabelFilter& filter = {});

/// Waits until the store holds `wanted` training comparisons (undone ones not counted) or the time is over, then reads.
Labels wait_for_labels(const Store& store, std::int64_t wanted, std::chrono::duration<double> timeout);

}  // namespace rlhf::feedback
