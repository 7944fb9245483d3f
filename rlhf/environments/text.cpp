#include "rlhf/environments/text.h"

#include <algorithm>
#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

void require(bool holds, const char* field, const char* fix) {
  if (!holds)
    throw Error({.category = Category::usage,
                 .where = std::string("text task: ") + field,
                 .what = "missing or out of range",
                 .fix = fix});
}

const TextTask& checked(const TextTask& task) {
  require(!task.vocabulary.empty(), "vocabulary", "Name each token.");
  require(task.end < std::ssize(task.vocabulary), "end", "Give a token of the vocabulary, or -1.");
  require(task.max_tokens >= 1 && task.turns >= 1, "max_tokens and turns", "Give 1 or more.");
  require(task.context >= 1, "context", "Give 1 or more tokens.");
  require(static_cast<bool>(task.open), "open", "Give a function that draws prompts.");
  require(static_cast<bool>(task.score), "score", "Give a function that judges what was said.");
  require(task.turns == 1 || task.reply, "reply", "Give a function that answers, or one turn.");
  return task;
}

Spec spec_of(const TextTask& task) {
  const auto words = static_cast<double>(task.vocabulary.size());
  const nlohmann::json numbers = {
      {"end", task.end}, {"max_tokens", task.max_tokens}, {"turns", task.turns}, {"context", task.context}};
  return {.name = task.name,
          .observation = Box{.dtype = Dtype::int64, .shape = {task.context}, .low = {0}, .high = {words}},
          .action = Discrete{task.vocabulary},
          .can = {.state = true, .text = true},
          .settings = task.settings.is_null() ? numbers : task.settings};
}

}  // namespace

TextEnvironment::TextEnvironment(TextTask task) : task_(std::move(task)), spec_(spec_of(checked(task_))) {}

void TextEnvironment::append(std::span<const std::int64_t> tokens, const char* whose) {
  for (const auto token : tokens)
    if (token < 0 || token >= std::ssize(task_.vocabulary))
      throw Error({.category = Category::usage,
                   .where = "environment " + task_.name,
                   .what = std::string(whose) + " holds token " + std::to_string(token),
                   .fix = "The vocabulary has 0 to " + std::to_string(task_.vocabulary.size() - 1) + "."});
  said_.insert(said_.end(), tokens.begin(), tokens.end());
}

Start TextEnvironment::reset(std::uint64_t seed, const nlohmann::json& options) {
  check_options(spec_, options, {"opening"});
  Random random(derive(seed, {hash("text.user")}));
  const bool given = options.is_object() && options.contains("opening");
  const auto opening = given ? options["opening"].get<Tokens>() : task_.open(random);
  said_.clear();
  append(opening, "the opening");
  now_ = {.key = random.key(), .position = random.position(), .opening = std::ssize(said_), .running = 1};
  return {.observation = observation()};
}

bool TextEnvironment::turn_is_over(std::int64_t token) const {
  return token == task_.end || now_.tokens == task_.max_tokens;
}

/// After a turn of the agent: does the user say something more?
bool TextEnvironment::user_goes_on() {
  if (++now_.turn == task_.turns) return false;
  Random random(now_.key, now_.position);
  const auto answer = task_.reply(said_, random);
  now_.position = random.position();
  now_.tokens = 0;
  if (answer) append(*answer, "the user's answer");
  return answer.has_value();
}

Step TextEnvironment::step(const Action& action) {
  if (!now_.running) throw_not_running(spec_);
  const auto token = checked_choice(spec_, action);
  said_.push_back(token);
  ++now_.tokens;
  Step step;
  if (turn_is_over(token) && !user_goes_on()) {
    now_.running = 0;
    step.terminated = true;
    step.reward = task_.score(said_, static_cast<std::size_t>(now_.opening));
  }
  step.observation = observation();
  return step;
}

Array TextEnvironment::observation() const {
  Tokens seen(static_cast<std::size_t>(task_.context), std::ssize(task_.vocabulary));
  const auto newest = std::min(seen.size(), said_.size());
  std::copy(said_.end() - static_cast<std::ptrdiff_t>(newest), said_.end(), seen.begin());
  return seen;
}

std::string TextEnvironment::text() const {
  std::string words;
  for (const auto token : said_) {
    if (!words.empty() && words.back() != '\n') words += ' ';
    words += task_.vocabulary[static_cast<std::size_t>(token)];
    if (token == task_.end) words += '\n';
  }
  return words.ends_with('\n') ? words : words + '\n';
}

std::string TextEnvironment::state() const {
  std::string bytes(reinterpret_cast<const char*>(&now_), sizeof now_);
  bytes.append(reinterpret_cast<const char*>(said_.data()), said_.size() * sizeof(std::int64_t));
  return bytes;
}

void TextEnvironment::set_state(std::string_view bytes) {
  Now now;
  if (bytes.size() < sizeof now || (bytes.size() - sizeof now) % sizeof(std::int64_t) != 0) throw_no_state(spec_);
  std::memcpy(&now, bytes.data(), sizeof now);
  Tokens said((bytes.size() - sizeof now) / sizeof(std::int64_t));
  if (!said.empty()) std::memcpy(said.data(), bytes.data() + sizeof now, bytes.size() - sizeof now);
  const auto known = [&](std::int64_t token) { return token >= 0 && token < std::ssize(task_.vocabulary); };
  if (!std::all_of(said.begin(), said.end(), known) || now.opening < 0 || now.opening > std::ssize(said) ||
      now.running < 0 || now.running > 1)
    throw_no_state(spec_);
  now_ = now;
  said_ = std::move(said);
}

}  // namespace rlhf::environments
