#pragma once
#include "app/commands.h"

namespace rlhf::app {

/// `rlhf env play NAME [--out FILE]`: a person plays an environment in the browser; finished episodes join the file.
int play(const Invocation& call);

}  // namespace rlhf::app
