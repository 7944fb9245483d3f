#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// Version of the JSON records below, written into each. Readers take all versions up to this one.
inline constexpr int record_version = 2;

nlohmann::json to_json(const Question& question);
nlohmann::json to_json(const Answer& answer);
nlohmann::json to_json(const Feedback& feedback);
nlohmann::json to_json(const Undo& undo);
nlohmann::json to_json(const ScalarSignal& signal);
nlohmann::json to_json(const Document& document);
nlohmann::json to_json(const Redaction& redaction);
nlohmann::json to_json(const Requeue& change);

/// All throw rlhf::Error (bad_data) naming the field; `where` stands for the record in the message.
Question question_from_json(const nlohmann::json& record, std::string_view where);
Answer answer_from_json(const nlohmann::json& record, std::string_view where);
Feedback feedback_from_json(const nlohmann::json& record, std::string_view where);
Undo undo_from_json(const nlohmann::json& record, std::string_view where);
ScalarSignal signal_from_json(const nlohmann::json& record, std::string_view where);
Document document_from_json(const nlohmann::json& record, std::string_view where);
Redaction redaction_from_json(const nlohmann::json& record, std::string_view where);
Requeue requeue_from_json(const nlohmann::json& record, std::string_view where);

std::string_view source_name(Source source);
Source source_from_name(std::string_view name, std::string_view where);
std::string_view split_name(Split split);

}  // namespace rlhf::feedback
