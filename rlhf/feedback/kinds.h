#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "rlhf/core/tokens.h"
#include "rlhf/data/prompt.h"

namespace rlhf::feedback {

/// What is asked about the items.
enum class Form {
  pair,       // which of two is better
  best_of_n,  // which one of several is best
  rating,     // how good is this one
};

/// Whether an answer trains or tests. Fixed when the question is made, so that no answer ever changes sides.
enum class Split { train, heldout };

enum class Source { human, model, simulated };

/// One completion to judge. The ids are what a reward model will read; the text is what people read.
struct Item {
  std::string text;
  TokenIds ids;
  std::int64_t policy_version = 0;
  int sample = 0;  // index among the completions of the prompt
};

/// The ends of a rating scale.
struct Scale {
  double low = 1.0, high = 7.0;
};

struct Question {
  std::string id;  // a function of how it came about (see question.h), so that a replayed run asks the same question
  Form form = Form::pair;
  bool allow_tie = false;  // pairs only
  Scale scale;             // ratings only
  data::Prompt prompt;
  std::vector<Item> items;  // in the order they were made
  std::vector<int> shown;   // shown[place] = item: the order on the screen
  Split split = Split::train;
  int answers = 1;          // how many annotators should answer it
  std::string guideline;    // version of the instructions in force
  nlohmann::json metadata;  // anything else: stage, gold scores, ...
};

/// One item is better than the others; `best` counts in the order made, not in the order shown.
struct Comparison {
  std::int64_t best = 0;
  bool tie = false;       // pairs only; `best` is then 0 and says nothing
  double strength = 1.0;  // weight of the judgement, > 0
};

struct Rating {
  double value = 0.0;  // within the question's scale
};

/// The annotator could or would not answer; somebody else may.
struct Skip {
  std::string reason;
};

/// Takes back an earlier answer of the same annotator. The answer stays in the log.
struct Undo {
  std::int64_t answer = 0;  // its sequence number
};

using Feedback = std::variant<Comparison, Rating, Skip, Undo>;

/// Who says it, and with what authority.
struct Annotator {
  std::string name;
  Source source = Source::human;
};

/// Throws rlhf::Error (bad_data) when the question contradicts itself: no id, wrong number of items for its form, an
/// order shown that is no permutation, an empty scale.
void validate(const Question& question);

/// Throws rlhf::Error (bad_data) when the feedback does not answer the question.
void validate(const Feedback& feedback, const Question& question);

}  // namespace rlhf::feedback
