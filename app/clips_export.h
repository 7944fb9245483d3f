#pragma once
#include "app/commands.h"

namespace rlhf::app {

/// `rlhf clips export STORE --out FOLDER`: the clips of questions as films, and clips.jsonl about them.
int export_clips(const Invocation& call);

}  // namespace rlhf::app
