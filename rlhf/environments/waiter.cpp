#include "rlhf/environments/waiter.h"

#include <algorithm>
#include <array>

#include "rlhf/core/require.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t stop = 0, hello = 1, longest_turn = 4;
const std::vector<std::string> vocabulary = {".",    "hello", "size",  "dish",  "drink", "small", "large",
                                             "soup", "salad", "pasta", "water", "tea",   "wine"};

/// A thing to be asked for, and the tokens of its values.
struct Slot {
  std::int64_t question, first, values;

  bool holds(std::int64_t token) const { return token >= first && token < first + values; }
  std::int64_t draw(Random& random) const { return first + random.below(values); }
};
constexpr std::array<Slot, 3> slots = {{{2, 5, 2}, {3, 7, 3}, {4, 10, 3}}};

const Slot* asked_for(std::span<const std::int64_t> turn) {
  for (const auto token : turn)
    for (const auto& slot : slots)
      if (token == slot.question) return &slot;
  return nullptr;
}

/// All that was said, as people hear it.
struct Heard {
  std::array<std::int64_t, slots.size()> wishes{-1, -1, -1};  // values that the guest has named; -1: not yet
  std::int64_t questions = 0;
  std::span<const std::int64_t> turn;  // the waiter's last

  void from_guest(std::span<const std::int64_t> words) {
    for (const auto token : words)
      for (std::size_t i = 0; i < slots.size(); ++i)
        if (slots[i].holds(token)) wishes[i] = token;
  }
};

/// Cuts off what is said up to the full stop, or up to `most` tokens.
std::span<const std::int64_t> next_turn(std::span<const std::int64_t>& rest, std::size_t most) {
  std::size_t length = 0;
  while (length < std::min(most, rest.size()) && (length == 0 || rest[length - 1] != stop)) ++length;
  const auto turn = rest.first(length);
  rest = rest.subspan(length);
  return turn;
}

Heard heard(std::span<const std::int64_t> said) {
  Heard all;
  all.from_guest(next_turn(said, said.size()));
  while (!said.empty()) {
    all.turn = next_turn(said, longest_turn);
    all.questions += asked_for(all.turn) != nullptr;
    all.from_guest(next_turn(said, said.size()));
  }
  return all;
}

Tokens greeting(double forthcoming, Random& random) {
  Tokens words;
  for (const auto& slot : slots)
    if (random.uniform() < forthcoming) words.push_back(slot.draw(random));
  if (words.empty()) words.push_back(hello);
  words.push_back(stop);
  return words;
}

std::optional<Tokens> answer(std::span<const std::int64_t> said, Random& random) {
  const auto all = heard(said);
  const auto* slot = asked_for(all.turn);
  if (!slot) return std::nullopt;
  const auto known = all.wishes[static_cast<std::size_t>(slot - slots.data())];
  return Tokens{known >= 0 ? known : slot->draw(random), stop};
}

double points_for(const Slot& slot, std::int64_t wish, std::span<const std::int64_t> order, double mistake_cost) {
  const bool named = std::any_of(order.begin(), order.end(), [&](auto token) { return slot.holds(token); });
  const bool other =
      std::any_of(order.begin(), order.end(), [&](auto token) { return slot.holds(token) && token != wish; });
  return !named ? 0.0 : other ? -mistake_cost : 1.0;
}

double worth_of(std::span<const std::int64_t> said, const WaiterConfig& config) {
  const auto all = heard(said);
  double sum = -config.question_cost * static_cast<double>(all.questions);
  if (asked_for(all.turn)) return sum;  // his patience was over
  for (std::size_t i = 0; i < slots.size(); ++i)
    sum += points_for(slots[i], all.wishes[i], all.turn, config.mistake_cost);
  return sum;
}

}  // namespace

void WaiterConfig::validate() const {
  require_setting(forthcoming >= 0 && forthcoming <= 1, "forthcoming", "Give a chance from 0 to 1.");
  require_setting(question_cost >= 0, "question_cost", "Give 0 or more points.");
  require_setting(mistake_cost >= 0, "mistake_cost", "Give 0 or more points.");
  require_setting(patience >= 1, "patience", "Give 1 or more turns.");
  require_setting(context >= 1, "context", "Give 1 or more tokens.");
}

TextTask waiter(const WaiterConfig& config) {
  config.validate();
  return {.name = "waiter",
          .vocabulary = vocabulary,
          .end = stop,
          .max_tokens = longest_turn,
          .turns = config.patience,
          .context = config.context,
          .open = [share = config.forthcoming](Random& random) { return greeting(share, random); },
          .reply = answer,
          .score = [config](std::span<const std::int64_t> said, std::size_t) { return worth_of(said, config); },
          .settings = rlhf::to_json(config)};
}

}  // namespace rlhf::environments
