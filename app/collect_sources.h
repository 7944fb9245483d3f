#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "rlhf/core/fields.h"
#include "rlhf/feedback/oracle.h"
#include "rlhf/feedback/store.h"
#include "rlhf/serving/labeling.h"

namespace rlhf::app {

/// Where `rlhf collect` gets its questions.
struct QuestionSource {
  std::string questions;  // JSONL with `prompt` and `completions`, or `chosen` and `rejected`, or `completion`
  std::string form;       // a built-in form; empty = by the number of items
  std::string form_file;  // a form of one's own, TOML
  std::int64_t answers = 1;
  double heldout = 0.1;
  std::string model, prompts;
  std::int64_t items = 2, open = 20, max_new_tokens = 128;
  double temperature = 1.0;
  std::uint64_t seed = 0;

  void fields(Fields& f);
  void validate() const;
};

/// Publishes the rows as questions and returns how many were new. Throws rlhf::Error (bad_data) with the line of a row
/// that is none.
std::int64_t add_questions(feedback::Store& store, const QuestionSource& source, const std::string& rows,
                           const std::string& where);
std::int64_t add_questions_of_file(feedback::Store& store, const QuestionSource& source);

/// What simulated annotators like: "vader" (cheerful texts) or "length" (long ones).
feedback::GoldFn simulated_gold(const std::string& name);

/// Questions on a model's own completions, made as others are answered, and conversations with it.
class ModelSource {
 public:
  ModelSource(feedback::Store& store, const QuestionSource& source);
  ~ModelSource();

  serving::ChatFn chat();
  void start();  // begins to ask, when there are prompts

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rlhf::app
