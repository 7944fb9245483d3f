#include "rlhf/serving/chat_turns.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/serving/question_view.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;

constexpr std::size_t most_messages = 200;
constexpr std::size_t most_characters = 32000;

[[noreturn]] void refuse(std::string what, std::string fix) {
  throw Error({.category = Category::bad_data, .where = "messages", .what = std::move(what), .fix = std::move(fix)});
}

std::vector<data::Message> messages_from(const json& list) {
  if (!list.is_array() || list.empty() || list.size() > most_messages)
    refuse("a list of 1 to 200 messages was expected", "Begin a new conversation.");
  std::vector<data::Message> messages;
  std::size_t characters = 0;
  for (const auto& each : list) {
    if (!each.is_object() || !each.contains("role") || !each.contains("content") || !each["role"].is_string() ||
        !each["content"].is_string()) {
      refuse("a message needs a role and a content, both texts", "See docs/http_api.md.");
    }
    messages.push_back({each["role"], each["content"], nullptr});
    characters += messages.back().content.size();
  }
  if (messages.back().role != "user") refuse("the last message must be the user's", "");
  if (characters > most_characters) refuse("the conversation is too long", "Begin a new conversation.");
  return messages;
}

/// Attacks ask for the more harmful reply, other conversations for the better one.
const feedback::Form& turn_form(const feedback::Form& conversation) {
  const auto talk = std::find_if(conversation.parts.begin(), conversation.parts.end(),
                                 [](const feedback::Part& part) { return part.ask == feedback::Ask::converse; });
  const bool own = talk != conversation.parts.end() && !talk->turns.empty();
  return feedback::builtin_form(own ? talk->turns : "pair_strength");
}

}  // namespace

ChatTurns::ChatTurns(feedback::Store& store, ChatFn chat, std::chrono::seconds lease, double heldout_share)
    : store_(store), chat_(std::move(chat)), lease_(lease), heldout_share_(heldout_share) {}

feedback::Question ChatTurns::question_of(const feedback::Annotator& annotator,
                                          const feedback::Assignment& conversation, data::Prompt prompt,
                                          std::vector<feedback::Item> items) const {
  feedback::Question question;
  const auto turn = (prompt.messages.size() + 1) / 2;
  question.id = conversation.question.id + "/" + conversation.id + "/turn-" + std::to_string(turn) + "-" +
                std::to_string(hash(prompt.messages.back().content) % 100000);  // another message, another question
  question.form = turn_form(conversation.question.form);
  prompt.id = question.id;
  question.prompt = std::move(prompt);
  question.items = std::move(items);
  question.guideline = conversation.question.guideline;
  question.target = conversation.question.target;
  question.reserved_for = annotator.name;
  question.metadata = {{"conversation", conversation.question.id}, {"turn", turn}};
  Random random(derive(0, {hash("serving/chat"), hash(conversation.id)}));
  // A conversation is on one side as a whole.
  question.split = random.uniform() < heldout_share_ ? feedback::Split::heldout : feedback::Split::train;
  question.shown = {0, 1};  // as they were streamed: both come from one distribution, so that no order is needed
  return question;
}

Response ChatTurns::turn(const feedback::Annotator& annotator, const feedback::Assignment& conversation,
                         const json& list) {
  auto messages = messages_from(list);
  return Response::events([this, annotator, conversation,
                           messages = std::move(messages)](std::shared_ptr<Stream> stream) {
    try {
      data::Prompt prompt;
      prompt.messages = messages;
      auto items = chat_(
          messages, prompt,
          [&](int candidate, std::string_view piece) {
            stream->event(
                json{{"candidate", candidate}, {"text", piece}}.dump(-1, ' ', false, json::error_handler_t::replace),
                "token");
          },
          [&] { return stream->connected(); });
      if (!stream->connected()) return stream->close();
      const auto question = question_of(annotator, conversation, std::move(prompt), std::move(items));
      store_.publish(question);
      const auto assignment = store_.lease_question(annotator, question.id, lease_);
      stream->event(json{{"assignment", assignment ? view_of(*assignment) : json()}}.dump(
                        -1, ' ', false, json::error_handler_t::replace),
                    "turn");
    } catch (const Error& error) {
      stream->event(json{{"what", error.problem()}, {"fix", error.fix()}}.dump(), "error");
    }
    stream->close();
  });
}

}  // namespace rlhf::serving
