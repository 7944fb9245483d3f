#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "rlhf/core/fields.h"

namespace rlhf::app {

/// What --help says about a verb besides its settings.
struct Usage {
  std::string_view synopsis;                // "rlhf export MODEL --to gguf --output FILE"
  std::string_view description;             // a sentence or two, or an example
  std::vector<std::string_view> positional; // settings that may also be given by place, in this order
};

/// Fills the settings from files (-c FILE.toml), the environment (RLHF_*) and flags, later ones winning, and checks them.
/// Arguments without dashes go to `usage.positional`. False when --help was asked for and printed: there is nothing to do.
bool read_settings(const Invocation& call, const Usage& usage, const Fields& fields);

template <Configurable Config>
bool read_settings(const Invocation& call, const Usage& usage, Config& config) {
  return read_settings(call, usage, fields_of(config));
}

/// For settings that have no default. Throws rlhf::Error (usage) when it is empty.
void require_given(std::string_view name, const std::string& value, std::string_view example);

}  // namespace rlhf::app
