#pragma once
#include <filesystem>
#include <memory>
#include <string_view>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

/// What VADER says about a text. The first three are shares and sum to 1 but for rounding (all 0 for an empty text).
struct Polarity {
  double negative = 0.0;  // 0..1, rounded to 3 decimals
  double neutral = 0.0;   // 0..1, rounded to 3 decimals
  double positive = 0.0;  // 0..1, rounded to 3 decimals
  double compound = 0.0;  // -1..1, rounded to 4 decimals: the one number that is used as a reward
};

/// Rule-based sentiment of English text (Hutto and Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment
/// Analysis of Social Media Text"). Equal to the Python package vaderSentiment 3.3.2 in every digit, its quirks
/// included: tests/rewards/vader_test.cpp.
///
/// Cheap to copy (the tables are shared) and safe to use from several threads.
class Vader {
 public:
  /// Reads the published tables: `word TAB valence TAB ...` and `emoji TAB description`.
  /// Throws rlhf::Error with the line when a file cannot be read or a valence is not a number.
  static Vader load(const std::filesystem::path& lexicon, const std::filesystem::path& emoji);

  /// The tables where the project keeps packages: packaged_file("vader", ...).
  static Vader load_packaged();

  /// `text` is UTF-8.
  Polarity polarity(std::string_view text) const;

  double compound(std::string_view text) const { return polarity(text).compound; }

 private:
  struct Tables;
  explicit Vader(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}
  std::shared_ptr<const Tables> tables_;
};

/// Scores a completion by its compound, prompt left out; parts: positive, negative, neutral.
RewardFn vader_reward(Vader vader);

}  // namespace rlhf::rewards
