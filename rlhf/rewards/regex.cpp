#include "rlhf/rewards/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <memory>

#include "rlhf/core/error.h"

namespace rlhf::rewards {
namespace {

std::int64_t matches(const re2::RE2& pattern, const std::string& text, RegexMode mode) {
  if (mode == RegexMode::full) return re2::RE2::FullMatch(text, pattern) ? 1 : 0;
  std::int64_t count = 0;
  re2::StringPiece match;
  std::size_t at = 0;
  while (at <= text.size() && pattern.Match(text, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    ++count;
    if (mode == RegexMode::search) break;
    const auto end = static_cast<std::size_t>(match.data() - text.data()) + match.size();
    at = match.empty() ? end + 1 : end;  // an empty match must not be found again for ever
  }
  return count;
}

}  // namespace

RewardFn regex_reward(const RegexOptions& options) {
  re2::RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_case_sensitive(!options.ignore_case);
  auto pattern = std::make_shared<const re2::RE2>(options.pattern, settings);
  if (options.pattern.empty() || !pattern->ok()) {
    throw Error({.category = Category::usage,
                 .where = "rewards.regex.pattern",
                 .what = options.pattern.empty() ? std::string("the pattern is empty")
                                                 : fmt::format("'{}' is no valid pattern: {}", options.pattern, pattern->error()),
                 .fix = "Patterns follow RE2: no look-around and no back-references."});
  }
  return [pattern, options](std::span<const data::Prompt>, std::span<const data::Completion> completions) {
    std::vector<Score> scores;
    scores.reserve(completions.size());
    for (const auto& completion : completions) {
      const auto count = static_cast<double>(matches(*pattern, completion.text, options.mode));
      const double hit = options.mode == RegexMode::count ? options.match * count : options.match;
      scores.push_back({.value = count > 0.0 ? hit : options.miss, .parts = {{"matches", count}}});
    }
    return scores;
  };
}

}  // namespace rlhf::rewards
