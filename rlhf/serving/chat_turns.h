#pragma once
#include <chrono>
#include <nlohmann/json_fwd.hpp>

#include "rlhf/serving/labeling.h"

namespace rlhf::serving {

/// Conversations in which every turn is a comparison: two candidate replies are written side by side, and become a
/// question that is with the annotator at once. What they choose trains like any other comparison.
class ChatTurns {
 public:
  ChatTurns(feedback::Store& store, ChatFn chat, std::chrono::seconds lease, double heldout_share);

  /// Streams the candidates as server-sent events, then the assignment (docs/http_api.md). `conversation` is what the
  /// annotator holds; its id and the number of the turn make the question's id, so that asking again for the same turn
  /// finds the same candidates.
  Response turn(const feedback::Annotator& annotator, const feedback::Assignment& conversation,
                const nlohmann::json& messages);

 private:
  feedback::Question question_of(const feedback::Annotator& annotator, const feedback::Assignment& conversation,
                                 data::Prompt prompt, std::vector<feedback::Item> items) const;

  feedback::Store& store_;
  ChatFn chat_;
  std::chrono::seconds lease_;
  double heldout_share_;
};

}  // namespace rlhf::serving
