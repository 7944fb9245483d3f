#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

/// Who helps an annotator to judge: a model, in a version, or nobody ("").
struct Helper {
  std::string name;
  std::int64_t version = 0;
};

/// Puts help on a question (Leike et al. 2018, arXiv:1811.07871, section 3.2): the form becomes `hinted_comparison`
/// with `budget` hints that may be opened, in this order, and the metadata says whose they are and which pair of items
/// they are about. The same items under another helper are another question with the same `pair`.
///
/// Throws rlhf::Error (usage) for a budget below 0 or beyond the hints.
void give_help(Question& question, std::string pair, const Helper& helper, std::vector<Hint> hints,
               std::int64_t budget);

/// Whose help a question offers; nothing where it was not asked with give_help.
std::optional<Helper> helper_of(const Question& question);

/// Nothing: an answer without help counts; otherwise it does only where `keep` says so of the helper. What a
/// LabelFilter or a reader of its own leaves out when a helper turns out to be bad.
bool counts(const Question& question, const std::function<bool(const Helper&)>& keep);

/// One judgement with help, as the store has it.
struct AssistedAnswer {
  std::string question, pair;
  Helper helper;
  std::string annotator;
  std::int64_t offered = 0, opened = 0;  // hints: what may be opened, what was
  std::vector<int> wrong;                // of the opened ones, what the annotator says is wrong
  Comparison said;
  std::optional<double> confidence;  // 0..1
  double active_seconds = 0.0;
};

/// Every standing comparison that was asked with give_help, in commit order, up to sequence number `until` (-1 = all).
std::vector<AssistedAnswer> read_assisted(const Store& store, std::int64_t until = -1);

}  // namespace rlhf::feedback
