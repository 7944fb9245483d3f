#include "rlhf/data/conversation.h"

#include <algorithm>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::data {

nlohmann::json messages_json(std::span<const Message> messages) {
  auto list = nlohmann::json::array();
  for (const auto& message : messages) {
    nlohmann::json turn = {{"role", message.role}, {"content", message.content}};
    if (message.extra.is_object()) turn.update(message.extra);
    list.push_back(std::move(turn));
  }
  return list;
}

nlohmann::json template_variables(const nlohmann::json& row) {
  auto variables = nlohmann::json::object();
  if (!row.is_object()) return variables;
  if (const auto found = row.find("chat_template_kwargs"); found != row.end() && found->is_object()) variables = *found;
  if (const auto found = row.find("tools"); found != row.end() && found->is_array()) variables["tools"] = *found;
  return variables;
}

std::string render(const text::TextBundle& text, std::span<const Message> messages, bool generation_header,
                   const nlohmann::json& row) {
  if (!text.chat) {
    throw Error({.category = Category::usage,
                 .where = "data",
                 .what = "the rows are conversations, but this model has no chat template",
                 .fix = "Use an instruct model, or rows whose prompt and completion are plain strings."});
  }
  return text.chat->render(messages_json(messages), generation_header, template_variables(row));
}

std::optional<std::vector<LearntTurn>> learnt_turns(const text::TextBundle& text, std::span<const Message> messages,
                                                    std::size_t first, const nlohmann::json& row) {
  std::vector<LearntTurn> turns;
  std::string done;
  for (std::size_t k = std::max<std::size_t>(first, 1); k < messages.size(); ++k) {
    if (messages[k].role != "assistant") continue;
    LearntTurn turn{render(text, messages.first(k), true, row), render(text, messages.first(k + 1), false, row)};
    if (!turn.before.starts_with(done) || !turn.with.starts_with(turn.before)) return std::nullopt;
    done = turn.with;
    turns.push_back(std::move(turn));
  }
  return turns;
}

}  // namespace rlhf::data
