#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

/// How the values of the words found become one number.
enum class LexiconTotal {
  mean,   // over the words found: saying a good word twice changes nothing
  sum,    // over the words found
  share,  // the sum divided by the number of words of the text
};

struct LexiconOptions {
  LexiconTotal total = LexiconTotal::mean;
  double scale = 1.0;       // the result is multiplied by this
  int negation_window = 3;  // a negator at most this many words earlier turns a value round; 0 = no negation
  double negation = -0.5;   // what a negated value is multiplied by
};

/// A list of words and short phrases with a value each, and the plainest reading of a text with it: lower case, longest
/// phrase first, negation, no other rule.
class Lexicon {
 public:
  explicit Lexicon(const std::map<std::string, double>& values);

  /// Reads `word TAB value` lines; empty ones and those that begin with # are passed over.
  /// Throws rlhf::Error with the line when one has no number, or when there is no entry.
  static Lexicon load(const std::filesystem::path& path);

  struct Reading {
    double value = 0.0;        // after total and scale; 0 when no word was found
    std::int64_t found = 0;    // words and phrases of the list in the text
    std::int64_t negated = 0;  // of these, how many were turned round
    std::int64_t words = 0;    // of the text
  };
  Reading read(std::string_view text, const LexiconOptions& options = {}) const;

  std::size_t size() const { return values_.size(); }

 private:
  std::unordered_map<std::string, double> values_;
  std::size_t longest_ = 1;  // words in the longest phrase
};

RewardFn lexicon_reward(Lexicon lexicon, LexiconOptions options = {});

/// The second judge of sentiment, which nothing is trained on: mean AFINN-165 valence (Nielsen 2011, "A new ANEW") over
/// the words found, divided by 5, so in [-1, 1]. Shares neither list nor rules with VADER.
RewardFn afinn_judge();

}  // namespace rlhf::rewards
