#include "rlhf/text/detail/gguf_pieces.h"

#include <algorithm>
#include <cstdio>
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
      bad_gguf("tokens", "the user-defined token \"" + gguf.tokens[id] + "\" holds a space, which is not supported here", instead);
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

void require_distinct_scores(const GgufTokenizer& gguf, const std::vector<Merge>& merges) {
  for (std::size_t i = 1; i < merges.size(); ++i) {
    const auto text = [&](const Merge& merge) { return gguf.tokens[merge.left] + gguf.tokens[merge.right]; };
    if (merges[i].score == merges[i - 1].score && text(merges[i]) != text(merges[i - 1])) {
      bad_gguf("scores", "\"" + text(merges[i - 1]) + "\" and \"" + text(merges[i]) + "\" have the same score, " +
                             std::to_string(merges[i].score) + ": the order of merges is not determined", instead);
    }
  }
}

}  // namespace

nlohmann::json merges_of_pieces(const GgufTokenizer& gguf) {
  if (gguf.scores.size() != gguf.tokens.size()) {
    bad_gguf("scores", std::to_string(gguf.scores.size()) + " scores for " + std::to_string(gguf.tokens.size()) + " tokens", instead);
  }
  require_bytes(gguf);
  const Pieces pieces = mergeable(gguf);
  std::vector<Merge> merges;
  for (const auto& [piece, id] : pieces) {
    const auto places = boundaries(piece);
    for (std::size_t i = 0; i + 1 < places.size(); ++i) {
      const auto character = piece.substr(places[i], places[i + 1] - places[i]);
      if (!pieces.contains(character)) {
        bad_gguf("tokens", "the character \"" + std::string(character) + "\" of \"" + std::string(piece) + "\" is not a token", instead);
      }
      if (i == 0) continue;
      const auto left = pieces.find(piece.substr(0, places[i]));
      const auto right = pieces.find(piece.substr(places[i]));
      if (left != pieces.end() && right != pieces.end()) merges.push_back({gguf.scores[id], left->second, right->second});
    }
  }
  std::ranges::sort(merges, [](const Merge& a, const Merge& b) {
    return std::tuple(-a.score, a.left, a.right) < std::tuple(-b.score, b.left, b.right);
  });
  require_distinct_scores(gguf, merges);
  nlohmann::json result = nlohmann::json::array();
  for (const Merge& merge : merges) result.push_back({gguf.tokens[merge.left], gguf.tokens[merge.right]});
  return result;
}

}  // namespace rlhf::text::detail
