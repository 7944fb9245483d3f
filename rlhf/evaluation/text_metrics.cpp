#include "rlhf/evaluation/text_metrics.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace rlhf::evaluation {
namespace {

enum class Kind { space, letter, mark };

Kind kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return Kind::letter;
  if (byte <= ' ') return Kind::space;
  const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
  return letter ? Kind::letter : Kind::mark;
}

using Word = std::int32_t;  // index into a vocabulary: comparing runs of words then costs a few integers
using Text = std::vector<Word>;

class Vocabulary {
 public:
  Text encode(std::string_view text) {
    Text ids;
    for (auto& word : words(text)) ids.push_back(ids_.emplace(std::move(word), static_cast<Word>(ids_.size())).first->second);
    return ids;
  }

 private:
  std::unordered_map<std::string, Word> ids_;
};

using Run = std::vector<Word>;

std::vector<Run> runs(const Text& text, std::size_t n) {
  std::vector<Run> result;
  for (std::size_t i = 0; i + n <= text.size(); ++i) {
    result.emplace_back(text.begin() + static_cast<std::ptrdiff_t>(i), text.begin() + static_cast<std::ptrdiff_t>(i + n));
  }
  return result;
}

struct Share {
  std::size_t different = 0, total = 0;
  double rate() const { return total == 0 ? 0.0 : static_cast<double>(different) / static_cast<double>(total); }
};

Share different_runs(std::span<const Text> texts, std::size_t n) {
  std::set<Run> seen;
  Share share;
  for (const auto& text : texts) {
    for (auto& run : runs(text, n)) {
      ++share.total;
      seen.insert(std::move(run));
    }
  }
  share.different = seen.size();
  return share;
}

/// The mean over the texts that have a run of n words.
template <class Rate>
double mean_over(std::span<const Text> texts, std::size_t n, const Rate& rate) {
  double sum = 0.0;
  std::size_t counted = 0;
  for (const auto& text : texts) {
    const auto share = different_runs({&text, 1}, n);
    if (share.total == 0) continue;
    sum += rate(share);
    ++counted;
  }
  return counted == 0 ? 0.0 : sum / static_cast<double>(counted);
}

}  // namespace

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  bool open = false;  // the last word may still grow
  for (char c : text) {
    const auto kind = kind_of(c);
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (kind == Kind::letter && open) result.back() += c;
    else if (kind != Kind::space) result.emplace_back(1, c);
    open = kind == Kind::letter;
  }
  return result;
}

double distinct_n(std::span<const std::string> texts, int n) {
  Vocabulary vocabulary;
  std::vector<Text> encoded;
  for (const auto& text : texts) encoded.push_back(vocabulary.encode(text));
  return different_runs(encoded, static_cast<std::size_t>(std::max(n, 1))).rate();
}

TextMetrics text_metrics(std::span<const std::string> texts) {
  Vocabulary vocabulary;
  std::vector<Text> encoded;
  std::set<Text> seen;
  std::size_t count = 0, repeated = 0;
  for (const auto& text : texts) {
    encoded.push_back(vocabulary.encode(text));
    count += encoded.back().size();
    repeated += seen.insert(encoded.back()).second ? 0 : 1;
  }
  const auto size = static_cast<double>(std::max<std::size_t>(texts.size(), 1));
  return {.distinct_1 = different_runs(encoded, 1).rate(),
          .distinct_2 = different_runs(encoded, 2).rate(),
          .distinct_2_within = mean_over(encoded, 2, [](const Share& share) { return share.rate(); }),
          .repetition = mean_over(encoded, 3, [](const Share& share) { return 1.0 - share.rate(); }),
          .duplicates = static_cast<double>(repeated) / size,
          .words = static_cast<double>(count) / size};
}

}  // namespace rlhf::evaluation
