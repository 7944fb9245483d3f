#pragma once
#include <string>
#include <vector>

#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// A question whose items are the words given; two make a pair, more a best-of-N, one a rating.
inline Question question_of(std::string id, std::vector<std::string> words) {
  Question question;
  question.id = std::move(id);
  question.form = builtin_form(words.size() == 1 ? "rating" : words.size() == 2 ? "pair" : "best_of_n");
  question.prompt.id = "prompt of " + question.id;
  question.prompt.text = "Say a word:";
  question.prompt.ids = {1, 2, 3};
  for (std::size_t i = 0; i < words.size(); ++i) {
    question.items.push_back({.text = words[i],
                              .ids = {static_cast<TokenId>(words[i].size()), 7},
                              .policy_version = 4,
                              .sample = static_cast<int>(i),
                              .quotes = {},
                              .clip = {},
                              .segment = {}});
    question.shown.push_back(static_cast<int>(i));
  }
  return question;
}

inline std::vector<Question> questions_of(int count) {
  std::vector<Question> questions;
  for (int i = 0; i < count; ++i) questions.push_back(question_of("q" + std::to_string(i), {"good", "bad"}));
  return questions;
}

}  // namespace rlhf::feedback
