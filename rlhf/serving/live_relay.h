#pragma once
#include <filesystem>

#include "rlhf/feedback/store.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// WS /api/live/{session}: between a browser and the process that runs the agent, which listens at
/// `<folder>/<session>.sock`. Every signal is in the store before it is forwarded, so that what an agent learnt from
/// can always be replayed. The store outlives the router.
///
/// A press is about the picture on the screen. The page says which moment of the session that was, `seen`: the `time`
/// of the picture's state and how long it had been there; the ways up and down cancel, and no clocks are compared.
/// Without `seen`: at + offset, the least difference, is press + up; less up + down, 2 delay, it is press - down.
void add_live_relay(Router& router, feedback::Store& store, std::filesystem::path folder);

}  // namespace rlhf::serving
