#include "rlhf/data/readers/columns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::data {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& field, const std::string& found,
                       const std::string& expected, std::string fix = "") {
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = "\"" + field + "\" is " + found + "; " + expected + " was expected",
               .fix = std::move(fix)});
}

std::string describe(const nlohmann::json& value) {
  if (value.is_null()) return "null";
  if (value.is_number() || value.is_boolean()) return value.dump();
  if (value.is_string()) return "a string";
  if (value.is_array()) return "a list";
  return "an object";
}

/// Role names other tools use, and what templates call them.
std::string suggest_role(const std::string& role) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> others = {{{"human", "user"},
                                                                                           {"prompter", "user"},
                                                                                           {"gpt", "assistant"},
                                                                                           {"bot", "assistant"},
                                                                                           {"model", "assistant"},
                                                                                           {"ai", "assistant"}}};
  for (const auto& [other, ours] : others) {
    if (role == other) return "Rename it to \"" + std::string(ours) + "\".";
  }
  return "";
}

std::string as_role(const nlohmann::json& turn, const std::string& where, const std::string& field) {
  static constexpr std::array<std::string_view, 5> known = {"system", "user", "assistant", "tool", "developer"};
  const auto found = turn.find("role");
  if (found == turn.end()) {
    const bool sharegpt = turn.contains("from") && turn.contains("value");
    throw Error({.category = Category::bad_data,
                 .where = where,
                 .what = "\"" + field + "\" has no \"role\"",
                 .fix = sharegpt ? "Rename \"from\" to \"role\" (user, assistant) and \"value\" to \"content\"."
                                 : "A turn looks like {\"role\": \"user\", \"content\": \"...\"}."});
  }
  if (!found->is_string()) fail(where, field + ".role", describe(*found), "a string");
  const auto role = found->get<std::string>();
  if (std::find(known.begin(), known.end(), role) != known.end()) return role;
  fail(where, field + ".role", "\"" + role.substr(0, 40) + "\"", "system, user, assistant, tool or developer",
       suggest_role(role));
}

/// A string, or a list of text parts as multimodal rows have; other parts cannot be used.
std::string as_content(const nlohmann::json& turn, const std::string& where, const std::string& field) {
  const auto found = turn.find("content");
  if (found == turn.end() || found->is_null()) {
    if (turn.contains("tool_calls")) return "";  // a turn that only calls a tool
    fail(where, field + ".content", found == turn.end() ? "missing" : "null", "a string");
  }
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_array()) fail(where, field + ".content", describe(*found), "a string");
  std::string text;
  for (const auto& part : *found) {
    if (!part.is_object() || part.value("type", nlohmann::json()) != "text" || !part.contains("text") ||
        !part["text"].is_string()) {
      fail(where, field + ".content", "a list with a part that is not text",
           "a string, or a list of {\"type\": \"text\", \"text\": ...}");
    }
    text += part["text"].get<std::string>();
  }
  return text;
}

Message as_message(const nlohmann::json& turn, const std::string& where, const std::string& field) {
  if (!turn.is_object()) fail(where, field, describe(turn), "an object with \"role\" and \"content\"");
  Message message{as_role(turn, where, field), as_content(turn, where, field)};
  for (const auto& [key, value] : turn.items()) {
    if (key != "role" && key != "content" && !value.is_null()) message.extra[key] = value;
  }
  return message;
}

std::string row_id(const JsonlRow& row, const std::string& file) {
  if (row.value.is_object()) {
    for (const char* column : {"id", "prompt_id"}) {
      const auto found = row.value.find(column);
      if (found == row.value.end()) continue;
      if (found->is_string() && !found->get_ref<const std::string&>().empty()) return found->get<std::string>();
      if (found->is_number_integer()) return found->dump();
    }
  }
  return std::filesystem::path(file).filename().string() + ":" + std::to_string(row.number);
}

}  // namespace

std::vector<Message> as_messages(const nlohmann::json& value, const std::string& where, const std::string& field) {
  if (!value.is_array()) fail(where, field, describe(value), "a list of {\"role\", \"content\"}");
  if (value.empty()) fail(where, field, "an empty list", "at least one turn");
  std::vector<Message> messages;
  messages.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i)
    messages.push_back(as_message(value[i], where, field + "[" + std::to_string(i) + "]"));
  return messages;
}

WrittenCompletion as_completion(const nlohmann::json& value, const std::string& where, const std::string& field) {
  if (value.is_string()) return {.text = value.get<std::string>(), .messages = {}, .ids = {}};
  if (!value.is_array()) fail(where, field, describe(value), "a string or a list of messages");
  return {.text = "", .messages = as_messages(value, where, field), .ids = {}};
}

TokenIds as_token_ids(const nlohmann::json& value, const std::string& where, const std::string& field) {
  if (!value.is_array()) fail(where, field, describe(value), "a list of token ids");
  TokenIds ids;
  ids.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto& id = value[i];
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > 0x7FFFFFFF) {
      fail(where, field + "[" + std::to_string(i) + "]", describe(id), "a token id (an integer from 0)");
    }
    ids.push_back(id.get<TokenId>());
  }
  return ids;
}

double number_column(const JsonlRow& row, const std::string& field) {
  const auto found = row.value.find(field);
  if (found == row.value.end()) fail(row.where, field, "missing", "a number");
  if (!found->is_number() || !std::isfinite(found->get<double>())) fail(row.where, field, describe(*found), "a number");
  return found->get<double>();
}

double number_column(const JsonlRow& row, const std::string& field, double fallback) {
  const auto found = row.value.find(field);
  return found == row.value.end() || found->is_null() ? fallback : number_column(row, field);
}

std::int64_t index_column(const JsonlRow& row, const std::string& field, std::size_t size) {
  const auto found = row.value.find(field);
  if (found == row.value.end()) fail(row.where, field, "missing", "the index of a completion");
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() >= size) {
    fail(row.where, field, describe(*found), "an index from 0 to " + std::to_string(size - 1));
  }
  return found->get<std::int64_t>();
}

bool flag_column(const JsonlRow& row, const std::string& field) {
  const auto found = row.value.find(field);
  if (found == row.value.end() || found->is_null()) return false;
  if (!found->is_boolean()) fail(row.where, field, describe(*found), "true or false");
  return found->get<bool>();
}

Prompt prompt_of_row(const JsonlRow& row, const std::string& file) {
  Prompt prompt;
  prompt.id = row_id(row, file);
  prompt.row = row.value.is_object() ? row.value : nlohmann::json{{"prompt", row.value}};
  return prompt;
}

Prompt prompt_of_row(const JsonlRow& row, const std::string& file, const std::string& field) {
  auto prompt = prompt_of_row(row, file);
  const auto& value = prompt.row.at(field);
  if (field == "query") {
    prompt.ids = as_token_ids(value, row.where, field);
    return prompt;
  }
  auto content = as_completion(value, row.where, field);
  prompt.text = std::move(content.text);
  prompt.messages = std::move(content.messages);
  return prompt;
}

void match_prompt(const Prompt& prompt, WrittenCompletion& completion, const std::string& where,
                  const std::string& field) {
  if (prompt.messages.empty() == completion.messages.empty()) return;
  if (prompt.messages.empty()) {
    fail(where, field, "a list of messages beside a prompt string", "a string",
         "Prompt and completion must both be strings or both be messages.");
  }
  completion.messages = {{"assistant", std::exchange(completion.text, "")}};
}

}  // namespace rlhf::data
