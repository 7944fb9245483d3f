#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rlhf/data/prompt.h"
#include "rlhf/feedback/store.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// Candidate replies to a conversation, written as they come: candidate (0 or 1) and a piece of its text. Returns both
/// completions as items. `going_on` turns false when nobody listens any more.
using ChatFn = std::function<std::vector<feedback::Item>(
    const std::vector<data::Message>& messages, data::Prompt& prompt,
    const std::function<void(int candidate, std::string_view piece)>& piece, const std::function<bool()>& going_on)>;

struct LabelingOptions {
  std::string project = "default";
  std::string title = "Feedback";
  std::string consent;  // Markdown, to be agreed to before work begins; empty = none
  bool show_progress = true;
  std::chrono::seconds lease{900};  // how long a question is with somebody who does nothing
  double gold_share = 0.05;         // of questions that are asked to test the annotator, where there are any
  double heldout_share = 0.1;       // of conversations whose turns test instead of train
  double pass_mark = 0.75;          // of a qualification round
  double pause_mark = 0.5;          // right answers among the last 20 gold questions below which work is paused
  std::vector<std::string> required_rounds;
  std::filesystem::path media;  // folder of clips; empty = none
  std::function<double()> now;  // seconds since 1970
};

/// What annotators do over HTTP: get questions, answer, take back, look at what they did (docs/http_api.md, "For
/// annotators"). The store and the chat function outlive the router.
class Labeling {
 public:
  Labeling(feedback::Store& store, LabelingOptions options, ChatFn chat = nullptr);
  ~Labeling();

  /// Adds the routes; call once, before the server starts.
  void add_routes(Router& router);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rlhf::serving
