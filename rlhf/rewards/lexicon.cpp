#include "rlhf/rewards/lexicon.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/rewards/packaged_file.h"
#include "rlhf/rewards/unicode.h"

namespace rlhf::rewards {
namespace {

constexpr std::array negators = std::to_array<std::string_view>(
    {"not", "no", "never", "neither", "nor", "without", "hardly", "barely", "cannot", "nothing"});

bool negates(const std::string& word) {
  return std::find(negators.begin(), negators.end(), word) != negators.end() || word.ends_with("n't");
}

/// Letters, digits, apostrophes and hyphens inside a word; typographic apostrophes become plain ones.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    while (!word.empty() && (word.back() == '\'' || word.back() == '-')) word.pop_back();
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const auto token : split(text)) {
    const auto lowered = lower(token);
    for (std::size_t at = 0; at < lowered.size();) {
      const auto size = character_size(lowered, at);
      const auto character = std::string_view(lowered).substr(at, size);
      const char c = character == "\u2019" ? '\'' : character[0];
      const bool quote = character.size() > 1 && character.starts_with("\xe2\x80");  // general punctuation
      const bool inside = (c == '\'' || c == '-') && !word.empty();
      if (inside) word += c;
      else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (size > 1 && !quote)) word += character;
      else end_word();
      at += size;
    }
    end_word();
  }
  return words;
}

std::optional<double> number(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::pair<std::string, double> entry(std::string_view line, const std::string& where) {
  const auto tab = line.find('\t');
  const auto value = tab == std::string_view::npos ? std::nullopt : number(strip(line.substr(tab + 1)));
  if (value) return {lower(strip(line.substr(0, tab))), *value};
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = fmt::format("expected `word TAB value`, found '{}'", line),
               .fix = "Separate the word and its value with one tab."});
}

}  // namespace

Lexicon::Lexicon(const std::map<std::string, double>& values) {
  for (const auto& [key, value] : values) {
    const auto parts = words_of(key);
    if (parts.empty()) continue;
    std::string phrase = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i) phrase += " " + parts[i];
    values_[phrase] = value;
    longest_ = std::max(longest_, parts.size());
  }
  if (values_.empty()) {
    throw Error({.category = Category::bad_data, .where = "rewards.lexicon", .what = "the word list is empty", .fix = ""});
  }
}

Lexicon Lexicon::load(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  std::map<std::string, double> values;
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const auto end = std::min(content.find('\n', begin), content.size());
    const auto line = strip(std::string_view(content).substr(begin, end - begin));
    begin = end + 1;
    ++line_number;
    if (line.empty() || line.starts_with('#')) continue;
    values.insert(entry(line, fmt::format("{}:{}", path.string(), line_number)));
  }
  if (values.empty()) {
    throw Error({.category = Category::bad_data,
                 .where = path.string(),
                 .what = "no word with a value was found",
                 .fix = "Write one `word TAB value` a line."});
  }
  return Lexicon(values);
}

Lexicon::Reading Lexicon::read(std::string_view text, const LexiconOptions& options) const {
  const auto words = words_of(text);
  Reading reading{.words = static_cast<std::int64_t>(words.size())};
  double sum = 0.0;
  constexpr std::size_t far = 1'000'000;
  std::size_t since_negator = far;  // words since the last one, 1 = the word before
  for (std::size_t i = 0; i < words.size();) {
    std::size_t taken = 0;
    for (auto size = std::min(longest_, words.size() - i); size > 0 && taken == 0; --size) {
      std::string phrase = words[i];
      for (std::size_t k = 1; k < size; ++k) phrase += " " + words[i + k];
      const auto found = values_.find(phrase);
      if (found == values_.end()) continue;
      // "no" is in many lists. It turns the next word round, so counting its own value too would take it twice.
      if (size == 1 && options.negation_window > 0 && negates(phrase)) continue;
      const bool turned = options.negation_window > 0 && since_negator <= static_cast<std::size_t>(options.negation_window);
      sum += found->second * (turned ? options.negation : 1.0);
      reading.found += 1;
      reading.negated += turned ? 1 : 0;
      taken = size;
    }
    const auto step = std::max<std::size_t>(taken, 1);
    since_negator += step;
    if (step == 1 && negates(words[i])) since_negator = 1;
    i += step;
  }
  if (reading.found == 0) return reading;
  switch (options.total) {
    case LexiconTotal::mean: reading.value = sum / static_cast<double>(reading.found); break;
    case LexiconTotal::sum: reading.value = sum; break;
    case LexiconTotal::share: reading.value = sum / static_cast<double>(reading.words); break;
  }
  reading.value *= options.scale;
  return reading;
}

RewardFn lexicon_reward(Lexicon lexicon, LexiconOptions options) {
  return [lexicon = std::move(lexicon), options](std::span<const data::Prompt>,
                                                 std::span<const data::Completion> completions) {
    std::vector<Score> scores;
    scores.reserve(completions.size());
    for (const auto& completion : completions) {
      const auto reading = lexicon.read(completion.text, options);
      scores.push_back({.value = reading.value,
                        .parts = {{"found", static_cast<double>(reading.found)},
                                  {"negated", static_cast<double>(reading.negated)}}});
    }
    return scores;
  };
}

RewardFn afinn_judge() {
  // Valences run from -5 to 5.
  return lexicon_reward(Lexicon::load(packaged_file("afinn", "AFINN-en-165.txt")), {.total = LexiconTotal::mean, .scale = 0.2});
}

}  // namespace rlhf::rewards
