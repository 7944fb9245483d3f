#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/core/tokens.h"

namespace rlhf::data {

/// One turn of a conversation, as chat templates know it.
struct Message {
  std::string role;  // system, user, assistant, tool
  std::string content;
  nlohmann::json extra =
      nullptr;  // the turn's other keys (name, tool_calls, ...) as an object; null when there is none
};

/// What goes into a model. A raw text has no messages; a conversation is rendered through the chat template once.
struct Prompt {
  std::string id;                 // stable: from the row, or "<file name>:<line>"
  std::vector<Message> messages;  // empty for a raw text
  std::string text;               // the text the ids were encoded from
  TokenIds ids;                   // encoded once, never re-encoded
  nlohmann::json row;             // the whole row it came from; no column is ever dropped
};

}  // namespace rlhf::data
