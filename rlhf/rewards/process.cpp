#include "rlhf/rewards/process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/rewards/detail/child_process.h"

namespace rlhf::rewards {
namespace {

using Json = nlohmann::json;
using detail::ChildProcess;

class ProcessReward {
 public:
  explicit ProcessReward(ProcessOptions options) : options_(std::move(options)) {}

  std::vector<Score> score(std::span<const data::Prompt> prompts, std::span<const data::Completion> completions);

 private:
  using Waiting = std::map<std::int64_t, std::size_t>;  // id to index in the batch

  void ask(const Waiting& waiting, std::span<const data::Prompt> prompts, std::span<const data::Completion> completions);
  void accept(const std::string& line, Waiting& waiting, std::vector<Score>& scores);
  [[noreturn]] void fail(std::string what, std::string fix);

  ProcessOptions options_;
  std::mutex mutex_;
  std::unique_ptr<ChildProcess> child_;
  std::int64_t next_id_ = 0;
};

void ProcessReward::fail(std::string what, std::string fix) {
  const std::string tail = child_ ? child_->error_tail() : "";
  child_.reset();  // its state is unknown: the next batch starts a fresh one
  if (!tail.empty()) what += "; the end of its standard error:\n" + tail;
  throw Error({.category = Category::failure,
               .where = fmt::format("rewards.process '{}'", fmt::join(options_.command, " ")),
               .what = std::move(what),
               .fix = std::move(fix)});
}

void ProcessReward::ask(const Waiting& waiting, std::span<const data::Prompt> prompts,
                        std::span<const data::Completion> completions) {
  if (!child_) child_ = std::make_unique<ChildProcess>(options_.command);
  for (const auto& [id, index] : waiting) {
    const Json line = {{"id", id},
                       {"prompt", prompts[index].text},
                       {"completion", completions[index].text},
                       {"row", prompts[index].row}};
    // A completion can end in the middle of a character.
    child_->send(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
}

void ProcessReward::accept(const std::string& line, Waiting& waiting, std::vector<Score>& scores) {
  const auto shown = line.size() > 200 ? line.substr(0, 200) + "..." : line;
  const std::string form = "Each line must be like {\"id\": 7, \"score\": 0.5}; print anything else on standard error.";
  const auto answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("id") || !answer["id"].is_number_integer()) {
    fail(fmt::format("wrote a line that is no answer: {}", shown), form);
  }
  const auto asked = waiting.find(answer["id"].get<std::int64_t>());
  if (asked == waiting.end()) {
    fail(fmt::format("answered an id that was not asked, or answered it twice: {}", shown), "Copy `id` from the question.");
  }
  if (answer.contains("error")) fail(fmt::format("cannot score a completion: {}", answer["error"].dump()), "");
  const auto number = answer.find("score");
  if (number == answer.end() || !number->is_number() || !std::isfinite(number->get<double>())) {
    fail(fmt::format("the score is no finite number: {}", shown), form);
  }
  Score score{.value = number->get<double>(), .parts = {}};
  if (const auto parts = answer.find("parts"); parts != answer.end() && parts->is_object()) {
    for (const auto& [name, value] : parts->items()) {
      if (value.is_number()) score.parts[name] = value.get<double>();
    }
  }
  scores[asked->second] = std::move(score);
  waiting.erase(asked);
}

std::vector<Score> ProcessReward::score(std::span<const data::Prompt> prompts,
                                        std::span<const data::Completion> completions) {
  const std::lock_guard lock(mutex_);
  std::vector<Score> scores(completions.size());
  Waiting waiting;
  for (std::size_t i = 0; i < completions.size(); ++i) waiting.emplace(next_id_++, i);
  if (waiting.empty()) return scores;
  ask(waiting, prompts, completions);
  int restarts = 0;
  std::string line;
  while (!waiting.empty()) {
    switch (child_->next_line(line, options_.timeout_seconds)) {
      case ChildProcess::Event::line:
        if (!line.empty()) accept(line, waiting, scores);
        break;
      case ChildProcess::Event::timeout:
        fail(fmt::format("{} of {} completions have no answer, and none came for {} s", waiting.size(), completions.size(),
                         options_.timeout_seconds),
             "Raise timeout_seconds, and make sure the child flushes its output after each line.");
      case ChildProcess::Event::closed: {
        const auto ending = child_->ending();
        if (restarts++ >= options_.restarts) {
          fail(fmt::format("ended ({}) with {} of {} completions unanswered", ending, waiting.size(), completions.size()), "");
        }
        child_.reset();
        ask(waiting, prompts, completions);
        break;
      }
    }
  }
  return scores;
}

}  // namespace

RewardFn process_reward(ProcessOptions options) {
  if (!(options.timeout_seconds > 0.0) || options.restarts < 0 || options.command.empty()) {
    throw Error({.category = Category::usage,
                 .where = "rewards.process",
                 .what = fmt::format("command [{}], timeout_seconds {}, restarts {}", fmt::join(options.command, ", "),
                                     options.timeout_seconds, options.restarts),
                 .fix = "A command is needed, timeout_seconds must be positive and restarts not negative."});
  }
  auto reward = std::make_shared<ProcessReward>(std::move(options));
  return [reward](std::span<const data::Prompt> prompts, std::span<const data::Completion> completions) {
    return reward->score(prompts, completions);
  };
}

}  // namespace rlhf::rewards
