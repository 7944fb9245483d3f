#include "rlhf/rewards/vader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/rewards/detail/vader_words.h"
#include "rlhf/rewards/packaged_file.h"
#include "rlhf/rewards/unicode.h"

namespace rlhf::rewards {
namespace {

/// Everything the rules ask about a word, found with one look-up.
struct Facts {
  std::optional<double> valence;  // of the lexicon
  double degree = 0.0;            // of a degree adverb
  bool negates = false;
  bool in_phrase = false;  // part of some idiom or weakening phrase
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using Table = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

const Facts no_facts;

struct Word {
  std::string lower;
  const Facts* facts;
  bool negates;
  bool upper;

  bool in_lexicon() const { return facts->valence.has_value(); }
  bool is(std::string_view other) const { return lower == other; }
};

struct Words {
  std::vector<Word> all;
  bool mixed_case = false;  // some words, but not all, are ALL CAPS

  const Word& operator[](std::size_t i) const { return all[i]; }
  std::size_t size() const { return all.size(); }
};

/// The text without the punctuation around it, unless that leaves at most two characters: then it was an emoticon.
std::string_view without_punctuation(std::string_view token) {
  const auto punctuation = [](char c) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
  };
  const auto begin = std::find_if_not(token.begin(), token.end(), punctuation);
  const auto end = std::find_if_not(token.rbegin(), std::make_reverse_iterator(begin), punctuation).base();
  const std::string_view word(begin, end);
  return length(word) <= 2 ? token : word;
}

/// What a word `distance` places before a sentiment word adds to that word's valence.
double degree(const Word& word, double valence, std::size_t distance, bool mixed_case) {
  double change = word.facts->degree;
  if (change == 0.0) return 0.0;
  if (valence < 0.0) change = -change;
  if (word.upper && mixed_case) change += valence > 0.0 ? detail::emphasis : -detail::emphasis;
  return distance == 2 ? change * 0.95 : distance == 3 ? change * 0.9 : change;
}

/// The factor that the word `distance` places before words[i] applies: negation, "never so good", "without a doubt".
double negation_factor(const Words& words, std::size_t i, std::size_t distance) {
  const auto so = [&](std::size_t back) { return words[i - back].is("so") || words[i - back].is("this"); };
  const auto doubt = [&](std::size_t back) { return words[i - back].is("doubt"); };
  const auto& word = words[i - distance];
  if (distance == 2) {
    if (word.is("never") && so(1)) return detail::never_so;
    if (word.is("without") && doubt(1)) return 1.0;
  }
  if (distance == 3) {
    // "so" or "this" right before the word is enough here, whatever stands three places back: as published.
    if ((word.is("never") && so(2)) || so(1)) return detail::never_so;
    if (word.is("without") && (doubt(2) || doubt(1))) return 1.0;
  }
  return word.negates ? detail::negation : 1.0;
}

/// "least" before a word negates it, except in "at least" and "very least".
double least_factor(const Words& words, std::size_t i) {
  if (i == 0 || words[i - 1].in_lexicon() || !words[i - 1].is("least")) return 1.0;
  if (i > 1 && (words[i - 2].is("at") || words[i - 2].is("very"))) return 1.0;
  return detail::negation;
}

/// "but" halves what stands before it and raises what follows by half. As published the loop looks each value up by
/// equality, so of several equal values it changes the first one, more than once.
void weigh_but(const Words& words, std::vector<double>& valences) {
  const auto found = std::find_if(words.all.begin(), words.all.end(), [](const Word& word) { return word.is("but"); });
  if (found == words.all.end()) return;
  const auto but = found - words.all.begin();
  for (std::size_t i = 0; i < valences.size(); ++i) {
    const auto first = std::find(valences.begin(), valences.end(), valences[i]);
    const auto at = first - valences.begin();
    if (at < but) *first *= 0.5;
    if (at > but) *first *= 1.5;
  }
}

double punctuation_emphasis(std::string_view text) {
  const auto exclamations = std::min<std::ptrdiff_t>(std::count(text.begin(), text.end(), '!'), 4);
  const auto questions = std::count(text.begin(), text.end(), '?');
  const double asked = questions <= 1 ? 0.0 : questions <= 3 ? static_cast<double>(questions) * 0.18 : 0.96;
  return static_cast<double>(exclamations) * 0.292 + asked;
}

/// Python's round: through the exact decimal expansion, not through a multiplication.
double rounded(double value, int decimals) {
  const auto text = fmt::format("{:.{}f}", value, decimals);
  double result = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

Polarity summarise(const std::vector<double>& valences, double emphasis) {
  if (valences.empty()) return {};
  double sum = 0.0, positive = 0.0, negative = 0.0, neutral = 0.0;
  for (const double valence : valences) {
    sum += valence;
    // One more than the valence: a neutral word counts 1.
    if (valence > 0.0) positive += valence + 1.0;
    if (valence < 0.0) negative += valence - 1.0;
    if (valence == 0.0) neutral += 1.0;
  }
  if (sum > 0.0) sum += emphasis;
  else if (sum < 0.0) sum -= emphasis;
  if (positive > -negative) positive += emphasis;
  else if (positive < -negative) negative -= emphasis;
  const double compound = std::clamp(sum / std::sqrt(sum * sum + detail::saturation), -1.0, 1.0);
  const double total = positive - negative + neutral;
  return {.negative = rounded(std::abs(negative / total), 3),
          .neutral = rounded(std::abs(neutral / total), 3),
          .positive = rounded(std::abs(positive / total), 3),
          .compound = rounded(compound, 4)};
}

/// Calls entry(line number, first field, second field) for each line `a TAB b ...`.
template <class Entry>
void read_fields(const std::filesystem::path& path, const Entry& entry) {
  const std::string content = read_file(path);
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const auto end = std::min(content.find('\n', begin), content.size());
    const auto line = strip(std::string_view(content).substr(begin, end - begin));
    begin = end + 1;
    ++line_number;
    if (line.empty()) continue;
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) {
      throw Error({.category = Category::bad_data,
                   .where = fmt::format("{}:{}", path.string(), line_number),
                   .what = fmt::format("expected two fields with a tab between them, found '{}'", line),
                   .fix = "Use the files of the package vaderSentiment 3.3.2."});
    }
    const auto second = line.substr(tab + 1);
    entry(line_number, line.substr(0, tab), second.substr(0, second.find('\t')));
  }
}

}  // namespace

struct Vader::Tables {
  Table<Facts> facts;
  Table<std::string> emoji;  // character to description
  Table<double> idioms;      // phrase to valence
  Table<double> weakening;   // phrase to degree

  std::string without_emoji(std::string_view text) const;
  Words words(std::string_view text) const;
  double idiom(const Words& words, std::size_t i, double valence) const;
  double valence(const Words& words, std::size_t i) const;
  std::vector<double> valences(const Words& words) const;

  void add_rules();
  void add_phrase(Table<double>& table, std::string_view phrase, double value);
};

void Vader::Tables::add_phrase(Table<double>& table, std::string_view phrase, double value) {
  table.emplace(phrase, value);
  for (const auto word : split(phrase)) facts[std::string(word)].in_phrase = true;
}

void Vader::Tables::add_rules() {
  for (const auto word : detail::negators) facts[std::string(word)].negates = true;
  for (const auto word : detail::strengtheners) facts[std::string(word)].degree = detail::strengthen;
  for (const auto word : detail::weakeners) facts[std::string(word)].degree = -detail::strengthen;
  for (const auto& [phrase, value] : detail::idioms) add_phrase(idioms, phrase, value);
  for (const auto phrase : detail::weakening_phrases) add_phrase(weakening, phrase, -detail::strengthen);
}

/// Emoji become their descriptions, with a space before them where there is none.
std::string Vader::Tables::without_emoji(std::string_view text) const {
  std::string result;
  result.reserve(text.size());
  bool after_space = true;
  for (std::size_t at = 0; at < text.size();) {
    const auto size = character_size(text, at);
    const auto character = text.substr(at, size);
    at += size;
    const auto found = size == 1 ? emoji.end() : emoji.find(character);
    if (found == emoji.end()) {
      result += character;
      after_space = character == " ";
    } else {
      if (!after_space) result += ' ';
      result += found->second;
      after_space = false;
    }
  }
  return result;
}

Words Vader::Tables::words(std::string_view text) const {
  Words words;
  std::size_t upper = 0;
  for (const auto token : split(text)) {
    const auto stripped = without_punctuation(token);
    Word word{.lower = lower(stripped), .facts = &no_facts, .negates = false, .upper = is_upper(stripped)};
    if (const auto found = facts.find(word.lower); found != facts.end()) word.facts = &found->second;
    word.negates = word.facts->negates || word.lower.find("n't") != std::string::npos;
    upper += word.upper ? 1 : 0;
    words.all.push_back(std::move(word));
  }
  words.mixed_case = upper > 0 && upper < words.size();
  return words;
}

/// Looks at the phrases around words[i], which has at least three words before it.
double Vader::Tables::idiom(const Words& words, std::size_t i, double valence) const {
  const auto find = [&](const Table<double>& table, std::size_t first, std::size_t last) -> std::optional<double> {
    if (last >= words.size()) return std::nullopt;
    std::string phrase;
    for (auto at = first; at <= last; ++at) {
      if (!words[at].facts->in_phrase) return std::nullopt;
      phrase += (at == first ? "" : " ") + words[at].lower;
    }
    const auto found = table.find(phrase);
    return found == table.end() ? std::nullopt : std::optional(found->second);
  };
  using Span = std::pair<std::size_t, std::size_t>;  // words before i: from, to
  for (const auto& [from, to] : {Span{1, 0}, {2, 0}, {2, 1}, {3, 1}, {3, 2}}) {
    if (const auto value = find(idioms, i - from, i - to)) {
      valence = *value;
      break;
    }
  }
  valence = find(idioms, i, i + 1).value_or(valence);
  valence = find(idioms, i, i + 2).value_or(valence);
  for (const auto& [from, to] : {Span{3, 1}, {3, 2}, {2, 1}}) {
    valence += find(weakening, i - from, i - to).value_or(0.0);
  }
  return valence;
}

double Vader::Tables::valence(const Words& words, std::size_t i) const {
  const auto& word = words[i];
  if (!word.in_lexicon()) return 0.0;
  const auto before = [&](std::size_t back, std::string_view other) { return i >= back && words[i - back].is(other); };
  double valence = *word.facts->valence;
  // "no" before a word of the lexicon is no opinion of its own but turns the next one round.
  if (word.is("no") && i + 1 < words.size() && words[i + 1].in_lexicon()) valence = 0.0;
  if (before(1, "no") || before(2, "no") || (before(3, "no") && (before(1, "or") || before(1, "nor")))) {
    valence = *word.facts->valence * detail::negation;
  }
  if (word.upper && words.mixed_case) valence += valence > 0.0 ? detail::emphasis : -detail::emphasis;
  for (std::size_t distance = 1; distance <= 3 && distance <= i; ++distance) {
    if (words[i - distance].in_lexicon()) continue;
    valence += degree(words[i - distance], valence, distance, words.mixed_case);
    valence *= negation_factor(words, i, distance);
    if (distance == 3) valence = idiom(words, i, valence);
  }
  return valence * least_factor(words, i);
}

std::vector<double> Vader::Tables::valences(const Words& words) const {
  std::vector<double> result(words.size(), 0.0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool kind_of = words[i].is("kind") && i + 1 < words.size() && words[i + 1].is("of");
    if (words[i].facts->degree == 0.0 && !kind_of) result[i] = valence(words, i);
  }
  weigh_but(words, result);
  return result;
}

Vader Vader::load(const std::filesystem::path& lexicon, const std::filesystem::path& emoji) {
  auto tables = std::make_shared<Tables>();
  read_fields(lexicon, [&](std::size_t line, std::string_view word, std::string_view number) {
    double valence = 0.0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), valence);
    if (error != std::errc() || end != number.data() + number.size()) {
      throw Error({.category = Category::bad_data,
                   .where = fmt::format("{}:{}", lexicon.string(), line),
                   .what = fmt::format("the valence of '{}' is no number: '{}'", word, number),
                   .fix = "Use the files of the package vaderSentiment 3.3.2."});
    }
    tables->facts[std::string(word)].valence = valence;
  });
  read_fields(emoji, [&](std::size_t, std::string_view character, std::string_view description) {
    // Emoji of several code points cannot be met: the rules read the text one code point at a time.
    if (length(character) == 1) tables->emoji[std::string(character)] = description;
  });
  tables->add_rules();
  return Vader(std::move(tables));
}

Vader Vader::load_packaged() {
  return load(packaged_file("vader", "vader_lexicon.txt"), packaged_file("vader", "emoji_utf8_lexicon.txt"));
}

Polarity Vader::polarity(std::string_view text) const {
  const auto plain = tables_->without_emoji(text);
  const auto stripped = strip(plain);
  return summarise(tables_->valences(tables_->words(stripped)), punctuation_emphasis(stripped));
}

RewardFn vader_reward(Vader vader) {
  return [vader = std::move(vader)](std::span<const data::Prompt>, std::span<const data::Completion> completions) {
    std::vector<Score> scores;
    scores.reserve(completions.size());
    for (const auto& completion : completions) {
      const auto polarity = vader.polarity(completion.text);
      scores.push_back({.value = polarity.compound,
                        .parts = {{"negative", polarity.negative},
                                  {"neutral", polarity.neutral},
                                  {"positive", polarity.positive}}});
    }
    return scores;
  };
}

}  // namespace rlhf::rewards
