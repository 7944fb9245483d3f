#include <fmt/format.h>

#include <optional>

#include "rlhf/algorithms/detail/session_log.h"
#include "rlhf/algorithms/session.h"
#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

struct Repeated {
  LogRead read;
  SessionResult result;
};

Repeated repeat(environments::Environment& environment, LiveLearner& learner, const std::filesystem::path& log,
                LogUse use) {
  std::optional<SessionLoop> loop;
  auto read = play_log(
      log, use,
      [&](const nlohmann::json& header) -> SessionLoop& {
        return loop.emplace(environment, learner, header.at("settings").at("seed"));
      },
      environment);
  if (!read.result)
    throw Error({.category = Category::bad_data,
                 .where = fmt::format("{}:{}", log.string(), read.ticks + 1),
                 .what = "this is no finished session: it ends too early",
                 .fix = "Let the session go on from here with --resume."});
  auto result = loop->finish(read.result->at("seconds"));
  return {.read = std::move(read), .result = std::move(result)};
}

}  // namespace

SessionResult replay_session(environments::Environment& environment, LiveLearner& learner,
                             const std::filesystem::path& log) {
  auto [read, result] = repeat(environment, learner, log, LogUse::repeat);
  if (to_json(result) != *read.result) throw_differs(log, read.ticks + 2, "the result is another");
  return result;
}

SessionResult relearn_session(environments::Environment& environment, LiveLearner& learner,
                              const std::filesystem::path& log) {
  return repeat(environment, learner, log, LogUse::relearn).result;
}

}  // namespace rlhf::algorithms
