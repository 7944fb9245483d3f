#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/data/prompt.h"
#include "rlhf/text/bundle.h"

namespace rlhf::data {

/// The turns as chat templates take them.
nlohmann::json messages_json(std::span<const Message> messages);

/// What a row hands to the template besides its messages: the columns "tools" and "chat_template_kwargs".
nlohmann::json template_variables(const nlohmann::json& row);

/// Throws rlhf::Error (usage) when the model has no chat template.
std::string render(const text::TextBundle& text, std::span<const Message> messages, bool generation_header,
                   const nlohmann::json& row);

/// One assistant turn that is to be learnt, as places in the rendered conversation.
struct LearntTurn {
  std::string
      before;  // all that is rendered before it, its own header included: what inference has when it begins to sample
  std::string with;  // the same and the turn itself
};

/// The assistant turns from index `first` on, found by rendering turn after turn. A turn with nothing before it is not
/// learnt. Nothing is returned when the template writes earlier turns differently once later ones are there.
std::optional<std::vector<LearntTurn>> learnt_turns(const text::TextBundle& text, std::span<const Message> messages,
                                                    std::size_t first, const nlohmann::json& row);

}  // namespace rlhf::data
