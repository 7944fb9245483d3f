#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/core/tokens.h"
#include "rlhf/data/prompt.h"

namespace rlhf::data {

/// A completion as a file holds it, before it is encoded. One of the three is filled.
struct WrittenCompletion {
  std::string text;               // standard rows
  std::vector<Message> messages;  // conversational rows
  TokenIds ids;                   // rows that were tokens already; used as they are
};

/// One row to imitate. A language-modelling row has an empty prompt: all of a text, or every assistant turn, is learnt.
struct Demonstration {
  Prompt prompt;
  WrittenCompletion completion;
  std::string where;  // file:line, for messages and reports
};

/// One row that says which of several completions is better.
struct Preference {
  Prompt prompt;
  std::vector<WrittenCompletion> items;  // in the row's order; chosen before rejected
  std::int64_t best = 0;
  bool tie = false;
  double strength = 1.0;
  std::string where;
};

/// One row that gives a completion a number.
struct RatedCompletion {
  Prompt prompt;
  WrittenCompletion completion;
  double rating = 0.0;
  std::string where;
};

}  // namespace rlhf::data
