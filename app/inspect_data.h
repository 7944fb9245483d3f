#pragma once
#include "app/commands.h"

namespace rlhf::app {

/// `rlhf inspect data FILE --model M`: what a data set looks like to a model, before anything is trained on it.
int inspect_data(const Invocation&);

}  // namespace rlhf::app
