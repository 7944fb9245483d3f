#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/text.h"

namespace rlhf::environments {

struct SentenceConfig {
  std::vector<std::string> words = {"the",  "soup", "waiter", "was",  "warm", "rich", "quick",
                                    "kind", "cold", "thin",   "slow", "rude", "and",  "."};
  std::vector<std::string> prompts = {"the soup was", "the waiter was"};
  std::vector<std::string> worth = {"warm 1",  "rich 1",  "quick 1", "kind 1",
                                    "cold -1", "thin -1", "slow -1", "rude -1"};
  std::string end = ".";
  double unfinished = 1.0;
  std::int64_t max_tokens = 6, context = 12;

  void fields(Fields& f) {
    f.field("words", words, "the vocabulary: an action is one of them");
    f.field("prompts", prompts, "what a sentence begins with, each as likely");
    f.field("worth", worth, "words and the points that each earns: \"warm 1\"");
    f.field("end", end, "the word that ends a sentence; empty: all have full length");
    f.field("unfinished", unfinished, "points that a sentence costs which full length ends");
    f.field("max_tokens", max_tokens, "longest that is written, the end included");
    f.field("context", context, "most tokens that are seen: the newest");
  }
  void validate() const;
};

/// A sentence is continued word by word, and a list of words says what it was worth: the sum of the points of the words
/// that were written, each counted once and none that the prompt holds already; less `unfinished` where it has no end.
TextTask sentence(const SentenceConfig& config);

}  // namespace rlhf::environments
