#pragma once
#include <nlohmann/json.hpp>

#include "rlhf/feedback/store.h"

namespace rlhf::serving {

/// A question as an annotator may see it (docs/http_api.md): items in the order shown, and nothing about who made them,
/// where the answer goes, or whether it is known.
nlohmann::json view_of(const feedback::Question& question);
nlohmann::json view_of(const feedback::Assignment& assignment);

/// Answers name items in the order shown on the page, and in the order made in the store.
nlohmann::json answer_view(const feedback::Answer& answer, const feedback::Question& question);

/// Reads an answer of the page. Throws rlhf::Error (bad_data) when it is none, or does not answer the question.
feedback::Answer answer_from_view(const nlohmann::json& view, const feedback::Question& question);

}  // namespace rlhf::serving
