#include "rlhf/data/readers/shared_prompt.h"

#include <algorithm>

namespace rlhf::data {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

bool same(const Message& one, const Message& other) {
  return one.role == other.role && one.content == other.content && one.extra == other.extra;
}

}  // namespace

std::size_t shared_prompt_bytes(std::string_view chosen, std::string_view rejected) {
  static constexpr std::string_view turn = "\n\nAssistant:";
  const auto shortest = std::min(chosen.size(), rejected.size());
  const auto differ =
      std::mismatch(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(shortest), rejected.begin());
  const auto shared = static_cast<std::size_t>(differ.first - chosen.begin());
  const auto marker = chosen.substr(0, shared).rfind(turn);
  if (marker != std::string_view::npos) return marker + turn.size();
  // Back to the space before the first word that differs: words carry their leading space in most tokenizers.
  auto cut = shared;
  while (cut > 0 && !(cut < chosen.size() && is_space(chosen[cut]) && cut < rejected.size() && is_space(rejected[cut])))
    --cut;
  return cut;
}

std::size_t shared_prompt_turns(const std::vector<Message>& chosen, const std::vector<Message>& rejected) {
  if (chosen.empty() || rejected.empty()) return 0;
  const auto most = std::min(chosen.size(), rejected.size()) - 1;
  std::size_t turns = 0;
  while (turns < most && same(chosen[turns], rejected[turns])) ++turns;
  return turns;
}

}  // namespace rlhf::data
