#include "rlhf/text/detail/gguf_pieces.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rlhf/text/detail/utf8.h"

namespace rlhf::text::detail {

namespace {

using Pieces = std::unordered_map<std::string_view, std::size_t>;  // piece -> id

struct Merge {
  float score;  // of the union
  std::size_t left, right;
};

const std::string instead = "Use the model's HF directory (tokenizer.json).";

Pieces mergeable(const GgufTokenizer& gguf) {
  Pieces pieces;
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    const GgufType type = type_of(gguf, id);
    if (type == GgufType::user_defined && gguf.tokens[id].find("▁") != std::string::npos) {
      bad_gguf("tokens",
               "the user-defined token \"" + gguf.tokens[id] + "\" holds a space, which is not supported here",
               instead);
    }
    if (type == GgufType::normal || type == GgufType::unused) pieces.emplace(gguf.tokens[id], id);
  }
  return pieces;
}

void require_bytes(const GgufTokenizer& gguf) {
  const std::unordered_set<std::string_view> tokens(gguf.tokens.begin(), gguf.tokens.end());
  for (int byte = 0; byte < 256; ++byte) {
    char token[8];
    std::snprintf(token, sizeof token, "<0x%02X>", byte);
    if (!tokens.contains(token)) bad_gguf("tokens", std::string("the byte token ") + token + " is missing", instead);
  }
}

/// Where the characters of a piece begin, its end included.
std::vector<std::size_t> boundaries(std::string_view piece) {
  std::vector<std::size_t> places = {0};
  while (places.back() < piece.size()) places.push_back(places.back() + utf8_step(piece.substr(places.back())).length);
  return places;
}

std::string text_of(const GgufTokenizer& gguf, const Merge& merge) {
  return gguf.tokens[merge.left] + gguf.tokens[merge.right];
}

/// The order in which BPE tries merges. Equal scores happen for runs of spaces, which training adds last: the longer
/// first, so that one run grows from the left as far as it can.
bool before(const GgufTokenizer& gguf, const Merge& a, const Merge& b) {
  const auto length = [&](const Merge& merge) {
    return gguf.tokens[merge.left].size() + gguf.tokens[merge.right].size();
  };
  return std::tuple(-a.score, -static_cast<std::ptrdiff_t>(length(a)), a.left, a.right) <
         std::tuple(-b.score, -static_cast<std::ptrdiff_t>(length(b)), b.left, b.right);
}

/// Runs of one character, as lengths: `ranks[{left, right}]` is the place of that merge, `scores[length]` the score of
/// a run.
struct Runs {
  std::map<std::size_t, float> scores;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> ranks;
};

/// Joins the best neighbours of a run of `length` single characters until none can be joined. `worse(a, b)` compares
/// two pairs of neighbours; of equals the leftmost is taken.
template <class Worse>
std::vector<std::size_t> join(const Runs& runs, std::size_t length, const Worse& worse) {
  std::vector<std::size_t> parts(length, 1);
  while (true) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      if (!runs.ranks.contains({parts[i], parts[i + 1]})) continue;
      if (!best || worse(std::pair(parts[*best], parts[*best + 1]), std::pair(parts[i], parts[i + 1]))) best = i;
    }
    if (!best) return parts;
    parts[*best] += parts[*best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(*best) + 1);
  }
}

/// Do merges by rank cut every run as SentencePiece does, which takes the leftmost of equal scores? Tried up to four
/// times the longest piece; what follows repeats.
bool cut_alike(const Runs& runs) {
  using Pair = std::pair<std::size_t, std::size_t>;
  const auto lower_score = [&](Pair a, Pair b) {
    return runs.scores.at(a.first + a.second) < runs.scores.at(b.first + b.second);
  };
  const auto later_rank = [&](Pair a, Pair b) { return runs.ranks.at(a) > runs.ranks.at(b); };
  for (std::size_t length = 2; length <= 4 * runs.scores.rbegin()->first; ++length) {
    if (join(runs, length, lower_score) != join(runs, length, later_rank)) return false;
  }
  return true;
}

/// The character that a piece repeats, if it does.
std::optional<std::string_view> repeated(std::string_view piece) {
  const auto first = piece.substr(0, utf8_step(piece).length);
  for (std::size_t i = 0; i < piece.size(); i += first.size()) {
    if (piece.substr(i, first.size()) != first) return std::nullopt;
  }
  return first;
}

Runs runs_of(const GgufTokenizer& gguf, const std::vector<Merge>& merges, std::string_view character) {
  Runs runs;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string text = text_of(gguf, merges[rank]);
    if (repeated(text) != character) continue;
    const auto length = [&](std::size_t id) { return gguf.tokens[id].size() / character.size(); };
    runs.scores[text.size() / character.size()] = merges[rank].score;
    runs.ranks[{length(merges[rank].left), length(merges[rank].right)}] = rank;
  }
  return runs;
}

/// Pieces with equal scores leave the order of merges to their places in the text, which ranks cannot express; runs of
/// one character are the exception, if they are cut alike.
void require_determined_order(const GgufTokenizer& gguf, const std::vector<Merge>& merges) {
  std::set<std::string> runs_to_check;
  for (std::size_t i = 1; i < merges.size(); ++i) {
    const std::string one = text_of(gguf, merges[i - 1]), two = text_of(gguf, merges[i]);
    if (merges[i].score != merges[i - 1].score || one == two) continue;
    if (!repeated(one) || repeated(one) != repeated(two)) {
      bad_gguf("scores",
               "\"" + one + "\" and \"" + two + "\" have the same score, " + std::to_string(merges[i].score) +
                   ": the order of merges is not determined",
               instead);
    }
    runs_to_check.emplace(*repeated(one));
  }
  for (const std::string& character : runs_to_check) {
    if (!cut_alike(runs_of(gguf, merges, character))) {
      bad_gguf("scores", "the runs of \"" + character + "\" have equal scores, and no order of merges cuts them alike",
               instead);
    }
  }
}

}  // namespace

nlohmann::json merges_of_pieces(const GgufTokenizer& gguf) {
  if (gguf.scores.size() != gguf.tokens.size()) {
    bad_gguf("scores",
             std::to_string(gguf.scores.size()) + " scores for " + std::to_string(gguf.tokens.size()) + " tokens",
             instead);
  }
  require_bytes(gguf);
  const Pieces pieces = mergeable(gguf);
  std::vector<Merge> merges;
  for (const auto& [piece, id] : pieces) {
    const auto places = boundaries(piece);
    for (std::size_t i = 0; i + 1 < places.size(); ++i) {
      const auto character = piece.substr(places[i], places[i + 1] - places[i]);
      if (!pieces.contains(character)) {
        bad_gguf("tokens",
                 "the character \"" + std::string(character) + "\" of \"" + std::string(piece) + "\" is not a token",
                 instead);
      }
      if (i == 0) continue;
      const auto left = pieces.find(piece.substr(0, places[i]));
      const auto right = pieces.find(piece.substr(places[i]));
      if (left != pieces.end() && right != pieces.end())
        merges.push_back({gguf.scores[id], left->second, right->second});
    }
  }
  std::ranges::sort(merges, [&](const Merge& a, const Merge& b) { return before(gguf, a, b); });
  require_determined_order(gguf, merges);
  nlohmann::json result = nlohmann::json::array();
  for (const Merge& merge : merges) result.push_back({gguf.tokens[merge.left], gguf.tokens[merge.right]});
  return result;
}

}  // namespace rlhf::text::detail
