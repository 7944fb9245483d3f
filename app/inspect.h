#pragma once
#include "app/commands.h"

namespace rlhf::app {

/// What `rlhf inspect` can look at: one line each, one file each (inspect_<subject>.cpp).
std::span<const Command> inspect_subjects();

int inspect_model(const Invocation&);
int inspect_tokens(const Invocation&);
int inspect_template(const Invocation&);

/// A token as a terminal can show it: control characters and broken UTF-8 escaped, spaces left as they are.
std::string visible(std::string_view bytes);

}  // namespace rlhf::app
