#include "app/inspect.h"

#include <iostream>

#include "app/inspect_data.h"

namespace rlhf::app {

std::span<const Command> inspect_subjects() {
  static constexpr Command table[] = {
      {"data", "what a data set looks like to a model, before anything is trained on it", inspect_data},
      {"model", "shape, size, tokenizer and special tokens", inspect_model},
      {"tokens", "a text in tokens", inspect_tokens},
      {"template", "a conversation through the chat template, and what its tokens are", inspect_template},
  };
  return table;
}

int inspect(const Invocation& call) {
  if (call.arguments.empty() || call.arguments[0].starts_with("-")) {
    const bool asked = !call.arguments.empty() && (call.arguments[0] == "--help" || call.arguments[0] == "-h");
    (asked ? std::cout : std::cerr) << "usage: rlhf inspect SUBJECT ...\n\n" << list_commands(inspect_subjects());
    return asked ? 0 : 2;
  }
  return find_command(inspect_subjects(), call.arguments[0], "subject of inspect").run(call.without_first());
}

}  // namespace rlhf::app
