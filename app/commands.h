#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::app {

/// What a verb is called with: everything behind it on the command line, but for the flags of the program itself.
struct Invocation {
  std::vector<std::string> arguments;
  bool json = false;  // --json: answers for machines, one JSON object a line

  /// The first argument, which the rest is handed on without: the subject of a verb that has several.
  Invocation without_first() const { return {{arguments.begin() + 1, arguments.end()}, json}; }
};

/// A verb, or a subject of a verb. Returns the process's exit code; an rlhf::Error decides it by its category.
struct Command {
  std::string_view name, summary;
  int (*run)(const Invocation&);
};

/// The verbs, in the order in which --help lists them.
std::span<const Command> commands();

/// The entry called `name`, dashes and underscores being the same. Throws rlhf::Error (usage) with the nearest name.
const Command& find_command(std::span<const Command> table, std::string_view name, std::string_view what);

/// "  generate    completions of prompts" for each entry.
std::string list_commands(std::span<const Command> table);

// One line a verb, defined in app/<verb>.cpp.
int chat(const Invocation&);
int clips(const Invocation&);
int collect(const Invocation&);
int account(const Invocation&);
int data(const Invocation&);
int doctor(const Invocation&);
int env(const Invocation&);
int export_model(const Invocation&);
int generate(const Invocation&);
int inspect(const Invocation&);
int merge(const Invocation&);
int plan(const Invocation&);
int recipe(const Invocation&);
int report(const Invocation&);
int score(const Invocation&);
int selftest(const Invocation&);
int serve(const Invocation&);
int session(const Invocation&);
int train(const Invocation&);

}  // namespace rlhf::app
