#pragma once
#include "rlhf/feedback/detail/database.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback::detail {

/// JSON text of any strings: bytes that are not UTF-8 (a completion cut inside a character) become U+FFFD.
std::string dump(const nlohmann::json& record);
nlohmann::json parse(const std::string& text, const std::string& where);
std::string place_of(const std::string& location, std::int64_t sequence);  // for messages

/// What is appended; the text of the body is made before the transaction.
struct Entry {
  std::string kind, question;
  Annotator annotator;
  std::string guideline;
  double asked_at = 0.0, answered_at = 0.0;
  std::int64_t revises = 0;
  std::string body;
};

std::int64_t append(Database& database, std::int64_t project, const Entry& entry);

/// Columns of `events e`, as event_of() reads them.
inline constexpr const char* event_columns =
    "e.sequence, e.kind, e.question, e.annotator, e.source, e.guideline, e.asked_at, e.answered_at, e.body, e.revises";
Event event_of(const Row& row, const std::string& location);
std::vector<Event> events_of(const Rows& rows, const std::string& location);

Question question_of(const std::string& body, std::int64_t sequence, const std::string& location);

}  // namespace rlhf::feedback::detail
