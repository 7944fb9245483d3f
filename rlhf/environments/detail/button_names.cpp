#include "rlhf/environments/detail/button_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

namespace rlhf::environments {
namespace {

using Buttons = std::vector<std::string>;

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> words = {{{"up", "up"},
                                                                                  {"down", "down"},
                                                                                  {"left", "left"},
                                                                                  {"right", "right"},
                                                                                  {"fire", "fire"},
                                                                                  {"north", "up"},
                                                                                  {"south", "down"},
                                                                                  {"west", "left"},
                                                                                  {"east", "right"},
                                                                                  {"forward", "up"},
                                                                                  {"backward", "down"},
                                                                                  {"forwards", "up"},
                                                                                  {"backwards", "down"}}};

std::string small(std::string_view text) {
  std::string made(text);
  for (auto& letter : made) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return made;
}

/// "up right fire", "UPRIGHTFIRE": nothing but such words. Empty when there is anything else.
Buttons all_of(std::string_view name) {
  auto rest = small(name);
  std::erase_if(rest, [](unsigned char letter) { return letter == ' ' || letter == '_' || letter == '-'; });
  Buttons buttons;
  while (!rest.empty()) {
    const std::pair<std::string_view, std::string_view>* longest = nullptr;
    for (const auto& each : words)
      if (rest.starts_with(each.first) && (!longest || each.first.size() > longest->first.size())) longest = &each;
    if (!longest) return {};
    buttons.emplace_back(longest->second);
    rest.erase(0, longest->first.size());
  }
  std::sort(buttons.begin(), buttons.end());
  return buttons;
}

/// "push left", "torque -1": the last word alone.
Buttons last_of(std::string_view name) {
  const auto space = name.find_last_of(" _");
  const auto last = space == name.npos ? name : name.substr(space + 1);
  const bool number = last.size() > 1 && std::isdigit(static_cast<unsigned char>(last[1]));
  if (number && last[0] == '-') return {"left"};
  if (number && last[0] == '+') return {"right"};
  return all_of(last);
}

}  // namespace

std::vector<Buttons> buttons_of(const std::vector<std::string>& choices) {
  std::vector<Buttons> found(choices.size());
  std::set<Buttons> taken = {Buttons()};  // no button is nobody's
  // Whole names first: what is called "up" has the arrow rather than what is called "pick up".
  for (const auto reading : {all_of, last_of})
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (found[i].empty())
        if (auto buttons = reading(choices[i]); taken.insert(buttons).second) found[i] = std::move(buttons);
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (found[i].empty()) found[i] = {"#" + std::to_string(i)};
  return found;
}

bool does_nothing(std::string_view choice) {
  const auto name = small(choice);
  constexpr std::array<std::string_view, 8> names = {"noop", "nop", "nothing", "stay", "wait", "idle", "none", "coast"};
  return name == "do nothing" || name.starts_with("no ") || name.starts_with("no-") ||
         std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace rlhf::environments
