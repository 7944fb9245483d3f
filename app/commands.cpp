#include "app/commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"

namespace rlhf::app {

std::span<const Command> commands() {
  static constexpr Command table[] = {
      {"recipe", "a whole paper, end to end", recipe},
      {"train", "one algorithm: sft, reward_model, ppo; control_ppo, dqn, sac, td3", train},
      {"generate", "completions of prompts, as JSONL", generate},
      {"score", "rewards or logprobs of completions, as JSONL", score},
      {"chat", "talk to a model in the terminal", chat},
      {"serve", "a model behind OpenAI's API", serve},
      {"collect", "the pages on which people give feedback", collect},
      {"clips", "questions on short clips of an agent's play", clips},
      {"session", "an agent that people teach while it acts", session},
      {"env", "the games and bodies that agents act in", env},
      {"data", "feedback in the formats of other tools", data},
      {"account", "who may log in to a server that others can reach", account},
      {"report", "one self-contained page about a run", report},
      {"inspect", "what a model, a chat template or a text looks like in tokens", inspect},
      {"plan", "the memory that training will need, by component", plan},
      {"selftest", "prove that decoding and training agree on a model", selftest},
      {"export", "write a model as a Hugging Face folder or a GGUF file", export_model},
      {"merge", "fold an adapter into its base model", merge},
      {"doctor", "check this machine and installation", doctor},
  };
  return table;
}

const Command& find_command(std::span<const Command> table, std::string_view name, std::string_view what) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  const auto found = std::find_if(table.begin(), table.end(), [&](const Command& each) { return each.name == wanted; });
  if (found != table.end()) return *found;
  std::vector<std::string> names;
  for (const auto& each : table) names.emplace_back(each.name);
  const auto meant = nearest(wanted, names);
  throw Error({.category = Category::usage,
               .where = std::string(name),
               .what = fmt::format("there is no such {}", what),
               .fix = meant ? fmt::format("Did you mean \"{}\"?", *meant)
                            : fmt::format("There are: {}.", fmt::join(names, ", "))});
}

std::string list_commands(std::span<const Command> table) {
  std::string lines;
  for (const auto& each : table) lines += fmt::format("  {:<10} {}\n", each.name, each.summary);
  return lines;
}

}  // namespace rlhf::app
