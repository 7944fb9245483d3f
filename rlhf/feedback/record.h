#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// Version of the JSON records below, written into each. Readers refuse newer ones.
inline constexpr int record_version = 1;

nlohmann::json to_json(const Question& question);
nlohmann::json to_json(const Feedback& feedback);

/// Both throw rlhf::Error (bad_data) naming the field; `where` stands for the record in the message.
Question question_from_json(const nlohmann::json& record, std::string_view where);
Feedback feedback_from_json(const nlohmann::json& record, std::string_view where);

std::string_view source_name(Source source);
Source source_from_name(std::string_view name, std::string_view where);

}  // namespace rlhf::feedback
