#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::evaluation {

/// The words of a text: lower case (ASCII), separated by white space, each punctuation mark a word of its own.
std::vector<std::string> words(std::string_view text);

/// How varied and how long a set of texts is. Rates are 0..1; all are 0 when there is nothing to count.
struct TextMetrics {
  double distinct_1 = 0.0;         // different words / words, over all texts together
  double distinct_2 = 0.0;         // different pairs of neighbours / pairs, over all texts together (Li et al. 2016)
  double distinct_2_within = 0.0;  // the same within each text, averaged over the texts that have a pair
  double repetition = 0.0;         // share of runs of 3 words that stood earlier in the same text, averaged over texts
  double duplicates = 0.0;         // share of texts that equal an earlier one, word for word
  double words = 0.0;              // mean number of words
};

/// distinct_1, distinct_2 and duplicates fall with the number of texts: compare sets of the same size only.
TextMetrics text_metrics(std::span<const std::string> texts);

/// Different runs of n words / runs of n words, over all texts together. n >= 1.
double distinct_n(std::span<const std::string> texts, int n);

}  // namespace rlhf::evaluation
