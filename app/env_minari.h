#pragma once
#include "app/commands.h"

namespace rlhf::app {

/// `rlhf env import FOLDER --environment NAME --out FILE`: a Minari data set as a file of episodes to learn from.
int import_minari(const Invocation& call);

/// `rlhf env export FILE --out FOLDER`: the other way.
int export_minari(const Invocation& call);

}  // namespace rlhf::app
