#include "rlhf/algorithms/detail/session_log.h"

#include <fmt/format.h>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

constexpr int log_version = 1;

void take_row(SessionLoop& loop, LogUse use, const nlohmann::json& row, LogRead& read, const std::filesystem::path& log,
              std::int64_t number) {
  const auto input = tick_input(row);
  const auto action = use == LogUse::relearn ? action_of(row) : std::nullopt;
  std::vector<Outcome> outcomes;
  const auto output = loop.tick(input, outcomes, action ? &*action : nullptr);
  if (use == LogUse::repeat && to_json(input, output) != row)
    throw_differs(log, number, "the action or the policy version is another here");
  for (const auto& event : input.events)
    if (const auto* signal = std::get_if<LiveSignal>(&event)) read.signals.push_back(signal->id);
  read.begin = input.begin;
  ++read.ticks;
}

}  // namespace

nlohmann::json session_header(const environments::Environment& environment, const SessionConfig& given) {
  auto config = given;
  return {{"session", log_version},
          {"environment", environments::to_json(environment.spec())},
          {"spec", environments::hash_of(environment.spec())},
          {"settings", rlhf::to_json(config)}};
}

nlohmann::json to_json(const SessionResult& result) {
  auto episodes = nlohmann::json::array();
  for (const auto& episode : result.episodes) episodes.push_back({episode.steps, episode.total_reward});
  return {{"ticks", result.ticks},
          {"signals", result.signals},
          {"seconds", result.seconds},
          {"episodes", std::move(episodes)},
          {"learner", result.learner_hash}};
}

LogRead play_log(const std::filesystem::path& log, LogUse use,
                 const std::function<SessionLoop&(const nlohmann::json& header)>& begin,
                 const environments::Environment& environment) {
  const auto text = read_file(log);
  LogRead read;
  std::int64_t number = 0;
  try {
    SessionLoop* loop = nullptr;
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      ++number;
      auto row = nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                                       text.begin() + static_cast<std::ptrdiff_t>(end));
      if (!loop) {
        if (row.at("session").get<int>() > log_version) throw std::invalid_argument("a newer release wrote it");
        if (row.at("spec") != environments::hash_of(environment.spec()))
          throw_differs(log, 1, "the environment is another");
        loop = &begin(row);
      } else if (row.contains("begin")) {
        take_row(*loop, use, row, read, log, number);
      } else {
        read.result = std::move(row);
      }
      read.bytes = end + 1;
    }
    if (!loop) throw std::invalid_argument("it has no first row");
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error({.category = Category::bad_data,
                 .where = fmt::format("{}:{}", log.string(), number),
                 .what = std::string("this is no session's log: ") + error.what(),
                 .fix = ""});
  }
  return read;
}

void throw_differs(const std::filesystem::path& log, std::int64_t row, std::string what) {
  throw Error({.category = Category::check,
               .where = fmt::format("{}:{}", log.string(), row),
               .what = std::move(what),
               .fix = "Replay with the release, the settings and the learner of the session."});
}

}  // namespace rlhf::algorithms
