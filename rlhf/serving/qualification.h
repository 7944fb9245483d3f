#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "rlhf/feedback/store.h"

namespace rlhf::serving {

/// What the store knows of an annotator; of one who is not listed, the defaults under that name.
feedback::AnnotatorRecord record_of(const feedback::Store& store, const std::string& name);

struct Verdict {
  bool right = false;
  std::string explanation;
};

/// Watches answers to questions whose answer is known: passes annotators through qualification rounds, and pauses the
/// ones whose last 20 gold answers went wrong too often. One for all annotators; may be used from any thread.
class Qualification {
 public:
  Qualification(feedback::Store& store, double pass_mark, double pause_mark);

  /// After an answer was stored. A verdict is for the annotator's eyes, and comes in qualification rounds only: in real
  /// work nobody learns which questions are gold.
  std::optional<Verdict> after(const feedback::Annotator& annotator, const feedback::Question& question,
                               const feedback::Answer& answer);

 private:
  void finish_round(const std::string& annotator, const std::string& round);
  void watch(const std::string& annotator, bool right);

  feedback::Store& store_;
  double pass_mark_, pause_mark_;
  std::mutex mutex_;
  std::map<std::string, std::string> last_gold_;  // by annotator: the newest 20, '1' = right
};

}  // namespace rlhf::serving
