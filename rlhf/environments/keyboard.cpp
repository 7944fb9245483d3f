#include "rlhf/environments/keyboard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <set>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/button_names.h"

namespace rlhf::environments {
namespace {

using Keys = std::vector<std::string>;

const std::map<std::string, Keys> direction_keys = {{"left", {"ArrowLeft", "a"}},
                                                    {"right", {"ArrowRight", "d"}},
                                                    {"up", {"ArrowUp", "w"}},
                                                    {"down", {"ArrowDown", "s"}}};

// The keys that push a number of a Box down and up, in the order of the numbers.
const std::array<std::pair<Keys, Keys>, 9> number_keys = {{{{"ArrowLeft", "a"}, {"ArrowRight", "d"}},
                                                           {{"ArrowDown", "s"}, {"ArrowUp", "w"}},
                                                           {{"q"}, {"e"}},
                                                           {{"z"}, {"c"}},
                                                           {{"f"}, {"g"}},
                                                           {{"h"}, {"j"}},
                                                           {{"u"}, {"i"}},
                                                           {{"o"}, {"p"}},
                                                           {{"v"}, {"b"}}}};
constexpr const char* nothing_key = "n";

std::string digit_key(std::size_t choice) {
  if (choice < 10) return std::to_string(choice);
  return choice < 20 ? "Shift+" + std::to_string(choice - 10) : "";
}

/// What a key pushes that means this choice and nothing else.
std::string own_button(std::size_t choice) { return "=" + std::to_string(choice); }

/// A letter of the name that nothing else has: first letters of its words before others, others before the alphabet.
std::string letter_for(std::string_view name, const std::set<std::string>& taken) {
  std::string wanted;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (i == 0 || name[i - 1] == ' ') wanted += name[i];
  wanted += std::string(name) + "fetgbvcqzyhujinmlop";
  for (const unsigned char letter : wanted) {
    const std::string key(1, static_cast<char>(std::tolower(letter)));
    if (std::isalpha(letter) && !taken.contains(key)) return key;
  }
  return "";
}

/// The choice that `given` names or numbers; `setting` gave it.
std::int64_t choice_called(std::string_view given, const Discrete& space, const Spec& spec, const char* setting) {
  for (std::size_t i = 0; i < space.choices.size(); ++i)
    if (space.choices[i] == given || std::to_string(i) == given) return static_cast<std::int64_t>(i);
  throw Error(
      {.category = Category::usage,
       .where = setting,
       .what = fmt::format("{} offers no '{}'; its actions are {}", spec.name, given, fmt::join(space.choices, ", ")),
       .fix = "Give one of them by name, or by its number from 0."});
}

std::int64_t quiet_choice(const Discrete& space) {
  const auto found = std::find_if(space.choices.begin(), space.choices.end(), does_nothing);
  return found == space.choices.end() ? 0 : found - space.choices.begin();
}

double bound(const std::vector<double>& bounds, std::size_t number, double otherwise) {
  const double value = bounds.empty() ? otherwise : bounds[bounds.size() == 1 ? 0 : number];
  return std::isfinite(value) ? value : otherwise;
}

/// Every way to hold one key of each list; several together by their first keys only, the arrows.
std::vector<Chord> combined(const std::vector<Keys>& lists) {
  std::vector<Chord> chords(lists.size() == 1 ? lists[0].size() : 1);
  for (std::size_t way = 0; way < chords.size(); ++way)
    for (const auto& keys : lists) chords[way].push_back(keys[way]);
  return chords;
}

std::size_t numbers_of(const Box& space) {
  std::size_t count = 1;
  for (const auto side : space.shape) count *= static_cast<std::size_t>(side);
  return count;
}

/// Keys that browsers name like this and that the page leaves to the game.
void require_key(const std::string& key) {
  constexpr std::string_view of_the_page = "rkx-+= ";
  const bool arrow = key == "ArrowLeft" || key == "ArrowRight" || key == "ArrowUp" || key == "ArrowDown";
  const bool shifted = key.size() == 7 && key.starts_with("Shift+") && std::isdigit(static_cast<unsigned char>(key[6]));
  const bool single = key.size() == 1 && std::isgraph(static_cast<unsigned char>(key[0])) &&
                      !std::isupper(static_cast<unsigned char>(key[0])) && of_the_page.find(key[0]) == key.npos;
  if (arrow || shifted || single) return;
  throw Error({.category = Category::usage,
               .where = "keys",
               .what = fmt::format("'{}' is no key that can be given", key),
               .fix = "Give ArrowLeft, ArrowRight, ArrowUp, ArrowDown, Shift+0 to Shift+9, or one character, letters "
                      "small, but for r, k, x, - and +."});
}

std::vector<float> numbers_given(const nlohmann::json& meaning, const Box& space, const Spec& spec) {
  const auto count = numbers_of(space);
  const bool fits = meaning.is_array() && meaning.size() == count &&
                    std::all_of(meaning.begin(), meaning.end(), [](const auto& each) { return each.is_number(); });
  if (fits) return meaning.get<std::vector<float>>();
  throw Error({.category = Category::usage,
               .where = "keys",
               .what = fmt::format("an action of {} is a list of {} numbers, not {}", spec.name, count, meaning.dump()),
               .fix = ""});
}

}  // namespace

Keyboard::Keyboard(const Spec& spec, std::string_view idle, const nlohmann::json& keys) {
  const auto* discrete = std::get_if<Discrete>(&spec.action);
  if (!discrete && !idle.empty())
    throw Error({.category = Category::usage,
                 .where = "idle",
                 .what = fmt::format("the actions of {} are numbers: without a key each is 0, or the bound next to it",
                                     spec.name),
                 .fix = "Leave it out."});
  if (discrete)
    learn_choices(*discrete, idle, spec);
  else
    learn_numbers(std::get<Box>(spec.action));
  if (!keys.is_null() && !keys.is_object())
    throw Error({.category = Category::usage,
                 .where = "keys",
                 .what = "is no JSON object: " + keys.dump(),
                 .fix = R"(Write it like --keys '{"j": 0, "l": 1}'.)"});
  for (const auto& [key, meaning] : keys.items()) give(key, meaning, spec);
}

/// `key` loses what it meant before.
void Keyboard::give(const std::string& key, const nlohmann::json& meaning, const Spec& spec) {
  require_key(key);
  for (auto& action : actions_)
    std::erase_if(action.chords, [&](const Chord& keys) { return std::count(keys.begin(), keys.end(), key) > 0; });
  if (const auto* discrete = std::get_if<Discrete>(&spec.action)) {
    const auto name = meaning.is_string() ? meaning.get<std::string>() : meaning.dump();
    const auto choice = choice_called(name, *discrete, spec, "keys");
    auto& chords = actions_[static_cast<std::size_t>(choice)].chords;
    chords.insert(chords.begin(), Chord{key});
    pushes_[key] = {.button = own_button(static_cast<std::size_t>(choice))};
    return;
  }
  auto numbers = numbers_given(meaning, std::get<Box>(spec.action), spec);
  actions_.push_back({.label = in_words(spec, Action(numbers)), .chords = {{key}}});
  pushes_[key] = {.all = std::move(numbers)};
}

void Keyboard::learn_choices(const Discrete& space, std::string_view idle, const Spec& spec) {
  idle_ = idle.empty() ? quiet_choice(space) : choice_called(idle, space, spec, "idle");
  const auto buttons = buttons_of(space.choices);
  auto keys = direction_keys;
  std::set<std::string> taken = {"a", "d", "w", "s", "r", "k", "x"};
  const auto give_letter = [&](const std::string& button, std::string_view name) {
    if (const auto letter = letter_for(name, taken); !letter.empty()) {
      keys[button] = {letter};
      taken.insert(letter);
    }
  };
  for (std::size_t i = 0; i < buttons.size(); ++i)
    for (const auto& button : buttons[i]) {
      const bool numbered = std::all_of(space.choices[i].begin(), space.choices[i].end(),
                                        [](unsigned char c) { return !std::isalpha(c); });
      if (button[0] == '#' && !numbered) give_letter(button, space.choices[i]);
      if (button == "fire" && !keys.contains(button)) give_letter(button, button);
    }
  for (std::size_t i = 0; i < buttons.size(); ++i) {
    KeyAction action{.label = space.choices[i], .chords = {}};
    std::vector<Keys> lists;
    for (const auto& button : buttons[i])
      if (const auto found = keys.find(button); found != keys.end()) lists.push_back(found->second);
    if (!lists.empty() && lists.size() == buttons[i].size()) action.chords = combined(lists);
    for (const auto& button : buttons[i])
      for (const auto& key : keys[button]) pushes_[key] = {.button = button};
    choices_.emplace_back(buttons[i], static_cast<std::int64_t>(i));
    choices_.emplace_back(Keys{own_button(i)}, static_cast<std::int64_t>(i));
    if (const auto digit = digit_key(i); !digit.empty()) {
      action.chords.push_back({digit});
      pushes_[digit] = {.button = own_button(i)};
    }
    actions_.push_back(std::move(action));
  }
}

void Keyboard::learn_numbers(const Box& space) {
  const auto count = numbers_of(space);
  std::vector<float> still(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double low = bound(space.low, i, -1.0), high = bound(space.high, i, 1.0);
    still[i] = static_cast<float>(std::clamp(0.0, low, high));
    if (i >= number_keys.size()) continue;
    for (const auto& [keys, value] : {std::pair{number_keys[i].first, low}, std::pair{number_keys[i].second, high}}) {
      KeyAction action{.label = fmt::format("number {}: {:g}", i + 1, value), .chords = {}};
      for (const auto& key : keys) {
        action.chords.push_back({key});
        pushes_[key] = {.number = i, .value = static_cast<float>(value)};
      }
      actions_.push_back(std::move(action));
    }
  }
  idle_ = still;
  actions_.push_back({.label = "nothing", .chords = {{nothing_key}}});
  pushes_[nothing_key] = {.number = count};  // of none
}

/// The choice with most of the buttons that are down, the newest of them among its own.
const std::int64_t* Keyboard::choice_of(std::span<const std::string> down) const {
  std::set<std::string> held;
  for (const auto& key : down)
    if (const auto push = pushes_.find(key); push != pushes_.end()) held.insert(push->second.button);
  for (auto key = down.rbegin(); key != down.rend(); ++key) {
    const auto newest = pushes_.find(*key);
    if (newest == pushes_.end()) continue;
    const std::pair<Keys, std::int64_t>* best = nullptr;
    for (const auto& each : choices_) {
      const auto& needed = each.first;
      if (!std::count(needed.begin(), needed.end(), newest->second.button)) continue;
      if (!std::includes(held.begin(), held.end(), needed.begin(), needed.end())) continue;
      if (!best || needed.size() > best->first.size()) best = &each;
    }
    if (best) return &best->second;
  }
  return nullptr;
}

Action Keyboard::meaning(std::span<const std::string> down) const {
  if (std::holds_alternative<std::int64_t>(idle_)) {
    const auto* choice = choice_of(down);
    return choice ? Action(*choice) : idle_;
  }
  auto numbers = std::get<std::vector<float>>(idle_);
  for (const auto& key : down) {
    const auto found = pushes_.find(key);
    if (found == pushes_.end()) continue;
    const auto& push = found->second;
    if (!push.all.empty())
      numbers = push.all;
    else if (push.number < numbers.size())
      numbers[push.number] = push.value;
  }
  return numbers;
}

std::string in_words(const Spec& spec, const Action& action) {
  if (const auto* choice = std::get_if<std::int64_t>(&action))
    return std::get<Discrete>(spec.action).choices.at(static_cast<std::size_t>(*choice));
  std::string text;
  for (const float number : std::get<std::vector<float>>(action))
    text += fmt::format("{}{:g}", text.empty() ? "" : ", ", number);
  return text;
}

}  // namespace rlhf::environments
