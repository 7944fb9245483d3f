#pragma once
#include <filesystem>

#include "rlhf/feedback/store.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// WS /api/live/{session}: between a browser and the process that runs the agent, which listens at
/// `<folder>/<session>.sock`. Every signal is in the store before it is forwarded, so that what an agent learnt from
/// can always be replayed. The store outlives the router.
void add_live_relay(Router& router, feedback::Store& store, std::filesystem::path folder);

}  // namespace rlhf::serving
