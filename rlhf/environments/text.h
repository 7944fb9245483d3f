#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/core/seed.h"
#include "rlhf/environments/environment.h"

namespace rlhf::environments {

using Tokens = std::vector<std::int64_t>;

/// What is talked about, with whom, and what it is worth; the functions are the user's.
struct TextTask {
  std::string name = "text";
  std::vector<std::string> vocabulary;  // what each token is, for people; an action is a token
  std::int64_t end = -1;                // the token with which the agent ends its turn; -1: its turns have full length
  std::int64_t max_tokens = 16;         // of one turn of the agent, its end included
  std::int64_t turns = 1;               // of the agent; more than one makes a dialogue of it
  std::int64_t context = 64;            // most tokens that are seen: the newest

  /// How it begins: a prompt, or what the user says first.
  std::function<Tokens(Random& random)> open;
  /// What the user answers to all that was said; nothing: he leaves, and it ends. Needed for more than one turn.
  std::function<std::optional<Tokens>(std::span<const std::int64_t> said, Random& random)> reply;
  /// What it was worth, once it is over: all that was said, of which the first `opening` tokens are open()'s.
  std::function<double(std::span<const std::int64_t> said, std::size_t opening)> score;

  nlohmann::json settings;  // what the user chose, for Spec::settings; null: the numbers above
};

/// Text as an environment: the state is a list of tokens, an action the next one. Agents for numbers and pictures can
/// so be tried on text, and a dialogue with a model of a user is a game like another: sentence and waiter are two. A
/// penalty on the distance to a reference is the agent's business, not the environment's.
///
///   observation  int64 [context]: the newest tokens from the left, then vocabulary.size() where there are none
///   action       the next token
///   reward       0, and at the end the score
///   end          terminated: the agent's last turn is over (by `end` or by its length), or the user left
///   reset        options "opening": a list of tokens instead of open()'s
///
/// The user's answer follows in the step that ends a turn. Throws rlhf::Error (usage) for a task without vocabulary,
/// score or opening, for a dialogue without reply, and for tokens that the vocabulary does not have.
class TextEnvironment final : public Environment {
 public:
  explicit TextEnvironment(TextTask task);

  const Spec& spec() const override { return spec_; }
  using Environment::reset;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override;
  Step step(const Action& action) override;
  Array observation() const override;
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  std::string text() const override;  // the tokens' names, one space between them, a new line after each end of a turn

  const Tokens& said() const { return said_; }

 private:
  struct Now {
    std::uint64_t key = 0, position = 0;             // of the user's chance
    std::int64_t opening = 0, turn = 0, tokens = 0;  // tokens of the turn so far
    std::int64_t running = 0;
  };
  void append(std::span<const std::int64_t> tokens, const char* whose);
  bool turn_is_over(std::int64_t token) const;
  bool user_goes_on();

  TextTask task_;
  Spec spec_;
  Now now_;
  Tokens said_;
};

}  // namespace rlhf::environments
