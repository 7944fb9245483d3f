#pragma once
#include <functional>

#include "rlhf/algorithms/detail/session_loop.h"
#include "rlhf/core/files.h"

namespace rlhf::algorithms {

/// A session's log: a header, one row a tick, and the result once it is over.
nlohmann::json session_header(const environments::Environment& environment, const SessionConfig& config);
nlohmann::json to_json(const SessionResult& result);

/// What a log's ticks left behind.
struct LogRead {
  std::int64_t ticks = 0;
  double begin = 0.0;                    // of the last tick, session seconds
  std::vector<std::int64_t> signals;     // ids
  std::optional<nlohmann::json> result;  // the last row; none while the session is not over
  std::uint64_t bytes = 0;               // of the whole rows; what a killed process left of one more is not among them
};

enum class LogUse {
  repeat,  // each tick's action and policy version have to come out as they were
  relearn  // the actions are those of the log, whatever the learner would do
};

/// Plays the ticks of a log on a loop that `begin` makes from the header. Throws rlhf::Error as replay_session does.
LogRead play_log(const std::filesystem::path& log, LogUse use,
                 const std::function<SessionLoop&(const nlohmann::json& header)>& begin,
                 const environments::Environment& environment);

[[noreturn]] void throw_differs(const std::filesystem::path& log, std::int64_t row, std::string what);

}  // namespace rlhf::algorithms
