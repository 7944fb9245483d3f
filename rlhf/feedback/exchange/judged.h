#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/feedback/store.h"

namespace rlhf::feedback::exchange {

/// A question with the answers that stand, in the order they came.
struct Judged {
  Question question;
  std::vector<Event> answers;
};

/// Whose answers, to which questions.
struct Choice {
  std::vector<std::string> annotators;  // empty = all
  std::vector<std::string> guidelines;  // versions; empty = all
  std::vector<Source> sources;          // people, models, simulated labelers; empty = all
  std::optional<Split> split;           // only this side; nothing = both
  std::int64_t oldest_policy = 0;       // policy version of the items, ends included
  std::int64_t newest_policy = std::numeric_limits<std::int64_t>::max();
  bool ties = true;           // also answers that call items equally good
  bool tests = false;         // also test questions and qualification rounds
  bool consensus = false;     // one answer a question: what most chose; even votes are a tie
  std::string pseudonym_key;  // not empty: annotators get names made of their own and this key
};

/// What was read or written, and what was not, by reason.
struct Report {
  std::int64_t rows = 0;
  std::map<std::string, std::int64_t> left_out;
  std::vector<std::string> examples;  // "file:line: what" of the first few

  void leave_out(const std::string& reason, const std::string& where = "", std::int64_t count = 1);
};

std::vector<Event> all_events(const Store& store);
std::vector<Judged> judged(std::span<const Event> events, const Choice& choice, Report& report);

/// "annotator-3fa94c01": the same for the same name and key, and not to be led back without the key.
std::string pseudonym(const std::string& name, const std::string& key);

}  // namespace rlhf::feedback::exchange
