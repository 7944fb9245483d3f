#include "rlhf/feedback/store.h"

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/feedback/detail/schema.h"
#include "rlhf/feedback/detail/sqlite.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {

struct Store::State {
  detail::Database database;
  StoreOptions options;
  mutable std::mutex mutex;  // one statement at a time on the connection

  double now() const { return options.now ? options.now() : wall_seconds(); }
};

namespace {

using detail::Database;

/// Unique among all processes; carries no meaning.
std::string new_assignment_id() {
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device device;
  std::string id;
  for (int word = 0; word < 4; ++word) {
    auto bits = device();
    for (int i = 0; i < 8; ++i, bits >>= 4) id += digits[bits & 15];
  }
  return id;
}

nlohmann::json parse_body(const std::string& body, const std::string& where) {
  try {
    return nlohmann::json::parse(body);
  } catch (const nlohmann::json::exception&) {
    throw Error(
        {.category = Category::bad_data, .where = where, .what = "the record is damaged: it is no JSON", .fix = ""});
  }
}

std::string place(const Database& database, std::int64_t sequence) {
  return database.path().string() + " event " + std::to_string(sequence);
}

/// JSON text of any strings: bytes that are not UTF-8 (a completion cut inside a character) become U+FFFD.
std::string dump(const nlohmann::json& record) {
  return record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Question> find_question(const Database& database, const std::string& id) {
  auto found = database.query(
      "SELECT e.body, e.sequence FROM questions q JOIN events e ON e.sequence = q.sequence WHERE q.id = ?", id);
  if (!found.step()) return std::nullopt;
  const auto where = place(database, found.integer(1));
  return question_from_json(parse_body(found.text(0), where), where);
}

/// True when it was new.
bool publish_one(const Database& database, const Question& question, double now) {
  validate(question);
  const auto body = dump(to_json(question));
  auto old = database.query("SELECT e.body FROM questions q JOIN events e ON e.sequence = q.sequence WHERE q.id = ?",
                            question.id);
  if (old.step()) {
    if (old.text(0) == body) return false;
    throw Error(
        {.category = Category::check,
         .where = database.path().string(),
         .what = "a different question is already stored under the id \"" + question.id + "\"",
         .fix = "The run that wrote it had other data, settings or weights: use another store or another run name."});
  }
  database.run(
      "INSERT INTO events (kind, question, guideline, asked_at, answered_at, body) VALUES ('question', ?, ?, ?, ?, ?)",
      question.id, question.guideline, now, now, body);
  database.run("INSERT INTO questions (id, sequence, wanted) VALUES (?, ?, ?)", question.id, database.last_row(),
               static_cast<std::int64_t>(question.answers));
  return true;
}

/// The oldest question with room for one more answer that this annotator neither holds nor has answered.
std::optional<std::string> find_open(const Database& database, const std::string& annotator) {
  auto found = database.query(
      "SELECT q.id FROM questions q WHERE q.given < q.wanted"
      " AND q.given + (SELECT count(*) FROM leases l WHERE l.question = q.id) < q.wanted"
      " AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.question = q.id AND a.annotator = ? AND a.undone_by IS NULL)"
      " AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.question = q.id AND l.annotator = ?)"
      " ORDER BY q.sequence LIMIT 1",
      annotator, annotator);
  if (!found.step()) return std::nullopt;
  return found.text(0);
}

/// The number of the answer given under this assignment, if there is one; throws when it was another answer.
std::optional<std::int64_t> find_answer(const Database& database, const std::string& assignment,
                                        const std::string& body) {
  auto found = database.query(
      "SELECT a.sequence, e.body FROM answers a JOIN events e ON e.sequence = a.sequence WHERE a.assignment = ?",
      assignment);
  if (!found.step()) return std::nullopt;
  if (found.text(1) == body) return found.integer(0);
  throw Error({.category = Category::check,
               .where = place(database, found.integer(0)),
               .what = "this assignment was answered already, and differently",
               .fix = "Undo the first answer, then lease the question again."});
}

/// An answer is welcome while the question wants one: also after the lease has run out, if nobody else was faster.
void require_wanted(const Database& database, const Assignment& assignment, bool skip) {
  const auto& id = assignment.question.id;
  const auto wanting = database.number("SELECT given < wanted FROM questions WHERE id = ?", id);
  if (!wanting)
    throw Error({.category = Category::check,
                 .where = database.path().string(),
                 .what = "it has no question \"" + id + "\"",
                 .fix = ""});
  const auto mine = database.number("SELECT 1 FROM answers WHERE question = ? AND annotator = ? AND undone_by IS NULL",
                                    id, assignment.annotator.name);
  if (mine || (!skip && *wanting == 0)) {
    throw Error({.category = Category::check,
                 .where = database.path().string(),
                 .what = "the lease on \"" + id + "\" ran out and the question has been answered since",
                 .fix = "Lease another question."});
  }
}

std::int64_t append_event(const Database& database, const char* kind, const std::string& question,
                          const Annotator& annotator, const std::string& guideline, double asked_at, double answered_at,
                          const std::string& body) {
  database.run(
      "INSERT INTO events (kind, question, annotator, source, guideline, asked_at, answered_at, body) VALUES (?, ?, ?, "
      "?, ?, ?, ?, ?)",
      std::string_view(kind), question, annotator.name, source_name(annotator.source), guideline, asked_at, answered_at,
      body);
  return database.last_row();
}

Event event_of(const Database& database, const detail::Statement& row) {
  Event event;
  event.sequence = row.integer(0);
  event.question = row.text(2);
  event.guideline = row.text(5);
  event.asked_at = row.real(6);
  event.answered_at = row.real(7);
  const auto where = place(database, event.sequence);
  const auto body = parse_body(row.text(8), where);
  if (row.text(1) == "question") {
    event.body = question_from_json(body, where);
    return event;
  }
  event.annotator = {.name = row.text(3), .source = source_from_name(row.text(4), where)};
  event.body = feedback_from_json(body, where);
  return event;
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::filesystem::path& path, const StoreOptions& options) {
  auto state = std::unique_ptr<State>(new State{Database(path, options.read_only, options.busy), options, {}});
  const auto& database = state->database;
  detail::open_schema(database, options.read_only);
  database.execute("PRAGMA synchronous = FULL");
  if (options.max_bytes > 0) {
    const auto page = database.number("PRAGMA page_size").value_or(4096);
    database.execute("PRAGMA max_page_count = " + std::to_string(std::max<std::int64_t>(1, options.max_bytes / page)));
  }
  return Store(std::move(state));
}

std::int64_t Store::publish(const Question& question) { return publish(std::vector<Question>{question}); }

std::int64_t Store::publish(const std::vector<Question>& questions) {
  const std::lock_guard guard(state_->mutex);
  std::int64_t fresh = 0;
  state_->database.transaction([&] {
    for (const auto& question : questions) fresh += publish_one(state_->database, question, state_->now()) ? 1 : 0;
  });
  return fresh;
}

std::optional<Assignment> Store::lease(const Annotator& annotator, std::chrono::duration<double> timeout) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  std::optional<Assignment> assignment;
  database.transaction([&] {
    const double now = state_->now();
    database.run("DELETE FROM leases WHERE expires_at <= ?", now);
    const auto id = find_open(database, annotator.name);
    if (!id) return;
    assignment = Assignment{new_assignment_id(), *find_question(database, *id), annotator, now};
    database.run("INSERT INTO leases VALUES (?, ?, ?, ?, ?)", assignment->id, *id, annotator.name, now,
                 now + timeout.count());
  });
  return assignment;
}

void Store::release(const Assignment& assignment) {
  const std::lock_guard guard(state_->mutex);
  state_->database.run("DELETE FROM leases WHERE assignment = ?", assignment.id);
}

void Store::release_all(const Annotator& annotator) {
  const std::lock_guard guard(state_->mutex);
  state_->database.run("DELETE FROM leases WHERE annotator = ?", annotator.name);
}

std::int64_t Store::answer(const Assignment& assignment, const Feedback& feedback) {
  validate(feedback, assignment.question);
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto body = dump(to_json(feedback));
  const bool skip = std::holds_alternative<Skip>(feedback);
  std::int64_t sequence = 0;
  database.transaction([&] {
    if (const auto old = find_answer(database, assignment.id, body)) {
      sequence = *old;
      return;
    }
    require_wanted(database, assignment, skip);
    const auto& id = assignment.question.id;
    sequence = append_event(database, "answer", id, assignment.annotator, assignment.question.guideline,
                            assignment.leased_at, state_->now(), body);
    database.run("INSERT INTO answers (sequence, assignment, question, annotator, skip) VALUES (?, ?, ?, ?, ?)",
                 sequence, assignment.id, id, assignment.annotator.name, std::int64_t{skip});
    database.run("DELETE FROM leases WHERE assignment = ?", assignment.id);
    if (!skip) database.run("UPDATE questions SET given = given + 1 WHERE id = ?", id);
  });
  return sequence;
}

std::int64_t Store::undo(const Annotator& annotator, std::int64_t answer) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  std::int64_t sequence = 0;
  database.transaction([&] {
    auto found = database.query("SELECT question, skip, undone_by FROM answers WHERE sequence = ? AND annotator = ?",
                                answer, annotator.name);
    if (!found.step()) {
      throw Error({.category = Category::check,
                   .where = database.path().string(),
                   .what = "event " + std::to_string(answer) + " is no answer of " + annotator.name +
                           "; only one's own answers can be taken back",
                   .fix = ""});
    }
    const auto question = found.text(0);
    const bool skip = found.integer(1) != 0;
    if (!found.is_null(2)) {
      sequence = found.integer(2);
      return;
    }
    const double now = state_->now();
    sequence = append_event(database, "undo", question, annotator, "", now, now, dump(to_json(Feedback(Undo{answer}))));
    database.run("UPDATE answers SET undone_by = ? WHERE sequence = ?", sequence, answer);
    if (!skip) database.run("UPDATE questions SET given = given - 1 WHERE id = ?", question);
  });
  return sequence;
}

std::vector<Event> Store::read(std::int64_t after, std::int64_t limit) const {
  const std::lock_guard guard(state_->mutex);
  auto rows = state_->database.query(
      "SELECT sequence, kind, question, annotator, source, guideline, asked_at, answered_at, body FROM events"
      " WHERE sequence > ? ORDER BY sequence LIMIT ?",
      after, limit);
  std::vector<Event> events;
  while (rows.step()) events.push_back(event_of(state_->database, rows));
  return events;
}

bool Store::wait(std::int64_t after, std::chrono::duration<double> timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (latest() > after) return true;  // a look at the table's last key; SQLite offers no way to be told
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::optional<Question> Store::question(const std::string& id) const {
  const std::lock_guard guard(state_->mutex);
  return find_question(state_->database, id);
}

std::int64_t Store::latest() const {
  const std::lock_guard guard(state_->mutex);
  return state_->database.number("SELECT max(sequence) FROM events").value_or(0);
}

Counts Store::counts() const {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto count = [&](std::string_view sql) { return database.number(sql).value_or(0); };
  return {.questions = count("SELECT count(*) FROM questions"),
          .open = count("SELECT count(*) FROM questions WHERE given < wanted"),
          .leased = database.number("SELECT count(*) FROM leases WHERE expires_at > ?", state_->now()).value_or(0),
          .answers = count("SELECT count(*) FROM answers WHERE NOT skip AND undone_by IS NULL"),
          .skips = count("SELECT count(*) FROM answers WHERE skip AND undone_by IS NULL"),
          .undone = count("SELECT count(*) FROM answers WHERE undone_by IS NOT NULL")};
}

const std::filesystem::path& Store::path() const { return state_->database.path(); }

}  // namespace rlhf::feedback
