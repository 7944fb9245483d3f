#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "rlhf/data/prompt.h"

namespace rlhf::data {

/// How many bytes of two dialogues are their common prompt, for preference rows without a prompt of their own.
/// Dialogues in the form of HH-RLHF are split after the last shared "\n\nAssistant:"; other texts before the first word
/// that differs.
std::size_t shared_prompt_bytes(std::string_view chosen, std::string_view rejected);

/// How many turns two conversations share at their beginning; at most all but the last of either.
std::size_t shared_prompt_turns(const std::vector<Message>& chosen, const std::vector<Message>& rejected);

}  // namespace rlhf::data
