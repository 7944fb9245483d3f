#pragma once
#include <string>
#include <vector>

#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

/// A reward in any language: a child process that reads one JSON object a line on its standard input and answers each
/// with one on its standard output, in any order.
///
///   to the child    {"id": 7, "prompt": "...", "completion": "...", "row": {the prompt's whole row}}
///   from the child  {"id": 7, "score": 0.5, "parts": {"fluency": 0.2}}      `parts` may be left out
///                   {"id": 7, "error": "why this one cannot be scored"}     ends the run with that message
///
/// Ids are unique over the life of the process. Standard error passes into a buffer whose end is shown when the child
/// fails. The child must flush after each line (Python: print(..., flush=True)).
struct ProcessOptions {
  std::vector<std::string> command;  // program and arguments; looked up in PATH; no shell
  double timeout_seconds = 60.0;     // without a single answer; a slow batch that makes progress never times out
  int restarts = 1;                  // of a child that died; the batch is then sent again, minus what was answered
};

/// The child starts with the first batch and ends (its standard input closes) with the last copy of the function.
/// Calls are serialised. Throws rlhf::Error when the child cannot start, dies more than `restarts` times in one batch,
/// is silent for too long, or answers with something else than the lines above.
RewardFn process_reward(ProcessOptions options);

}  // namespace rlhf::rewards
