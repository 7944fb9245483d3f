#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace rlhf::feedback::statistics {

/// One answer as a number: a category (0, 1, ...), a rank, or a value on a scale.
struct Given {
  std::int32_t annotator = 0;
  std::int32_t item = 0;  // what was judged: usually a question
  double value = 0.0;
};

/// The answers to questions that look alike: who gave which is forgotten.
struct Pattern {
  std::vector<double> values;  // sorted
  double count = 0.0;          // questions with exactly these answers
};

/// Questions by their answers, those with fewer than two left out: alone, an answer agrees with nobody.
std::vector<Pattern> patterns_of(std::span<const Given> answers);

/// The counts alone, as the bootstrap takes them.
std::vector<double> counts_of(std::span<const Pattern> patterns);

}  // namespace rlhf::feedback::statistics
