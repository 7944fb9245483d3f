#include "rlhf/environments/sentence.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "rlhf/core/require.h"

namespace rlhf::environments {
namespace {

std::int64_t place_of(const std::string& word, const std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), word);
  return found == words.end() ? -1 : found - words.begin();
}

/// -1 for what is no word.
Tokens tokens_of(const std::string& text, const std::vector<std::string>& words) {
  Tokens tokens;
  std::istringstream each(text);
  for (std::string word; each >> word;) tokens.push_back(place_of(word, words));
  return tokens;
}

/// The points of each word. Throws rlhf::Error (usage) for an entry that is not a word of the vocabulary and a number.
std::vector<double> points_of(const SentenceConfig& config) {
  std::vector<double> points(config.words.size(), 0.0);
  for (const auto& entry : config.worth) {
    const auto gap = entry.find(' ');
    const auto word = place_of(entry.substr(0, gap), config.words);
    double value = 0;
    const char* const last = entry.data() + entry.size();
    const bool number = gap != std::string::npos && std::from_chars(entry.data() + gap + 1, last, value).ptr == last;
    require_setting(word >= 0 && number, "worth", "Write a word of the vocabulary and its points, as \"warm 1\".");
    points[static_cast<std::size_t>(word)] = value;
  }
  return points;
}

bool is_a_word(const std::string& word) { return !word.empty() && word.find_first_of(" \t\n") == std::string::npos; }

}  // namespace

void SentenceConfig::validate() const {
  require_setting(!words.empty() && std::all_of(words.begin(), words.end(), is_a_word), "words",
                  "Give words without spaces in them.");
  require_setting(std::set(words.begin(), words.end()).size() == words.size(), "words", "Give each word once.");
  require_setting(!prompts.empty(), "prompts", "Give at least one.");
  for (const auto& prompt : prompts)
    for (const auto token : tokens_of(prompt, words))
      require_setting(token >= 0, "prompts", "Write them in words of the vocabulary.");
  require_setting(end.empty() || place_of(end, words) >= 0, "end", "Name a word of the vocabulary, or none.");
  require_setting(max_tokens >= 1, "max_tokens", "Give 1 or more.");
  require_setting(context >= 1, "context", "Give 1 or more.");
  points_of(*this);
}

TextTask sentence(const SentenceConfig& config) {
  config.validate();
  std::vector<Tokens> prompts;
  for (const auto& prompt : config.prompts) prompts.push_back(tokens_of(prompt, config.words));
  const auto end = config.end.empty() ? -1 : place_of(config.end, config.words);
  const auto open = [prompts](Random& random) {
    return prompts[static_cast<std::size_t>(random.below(std::ssize(prompts)))];
  };
  const auto score = [points = points_of(config), end, cost = config.unfinished](std::span<const std::int64_t> said,
                                                                                 std::size_t opening) {
    std::set<std::int64_t> counted(said.begin(), said.begin() + static_cast<std::ptrdiff_t>(opening));
    double sum = end < 0 || said.back() == end ? 0.0 : -cost;
    for (const auto token : said.subspan(opening))
      if (counted.insert(token).second) sum += points[static_cast<std::size_t>(token)];
    return sum;
  };
  return {.name = "sentence",
          .vocabulary = config.words,
          .end = end,
          .max_tokens = config.max_tokens,
          .context = config.context,
          .open = open,
          .score = score,
          .settings = rlhf::to_json(config)};
}

}  // namespace rlhf::environments
