#include "rlhf/feedback/store.h"

#include <algorithm>
#include <map>
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
  std::string location;
  mutable std::mutex mutex;  // one statement at a time on the connection

  const std::string& project() const { return options.project; }

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

std::optional<Question> find_question(const Database& database, const std::string& project, const std::string& id) {
  auto found = database.query(
      "SELECT e.body, e.sequence FROM questions q JOIN events e ON e.sequence = q.sequence WHERE q.project = ? AND "
      "q.id = ?",
      project, id);
  if (!found.step()) return std::nullopt;
  const auto where = place(database, found.integer(1));
  return question_from_json(parse_body(found.text(0), where), where);
}

struct Entry {
  const char* kind;
  std::string question, body;
  Annotator annotator = {};
  std::string guideline = {};
  double asked_at = 0, answered_at = 0;
  std::int64_t revises = 0;
};

std::int64_t append(const Database& database, const std::string& project, const Entry& entry) {
  database.run(
      "INSERT INTO events (project, kind, question, annotator, source, guideline, asked_at, answered_at, revises, body)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      project, std::string_view(entry.kind), entry.question, entry.annotator.name,
      entry.annotator.name.empty() ? std::string_view("") : source_name(entry.annotator.source), entry.guideline,
      entry.asked_at, entry.answered_at, entry.revises, entry.body);
  return database.last_row();
}

/// True when it was new.
bool publish_one(const Database& database, const std::string& project, const Question& question, double now) {
  validate(question);
  const auto body = dump(to_json(question));
  auto old = database.query(
      "SELECT e.body FROM questions q JOIN events e ON e.sequence = q.sequence WHERE q.project = ? AND q.id = ?",
      project, question.id);
  if (old.step()) {
    if (old.text(0) == body) return false;
    throw Error(
        {.category = Category::check,
         .where = database.path().string(),
         .what = "a different question is already stored under the id \"" + question.id + "\"",
         .fix = "The run that wrote it had other data, settings or weights: use another store or another run name."});
  }
  const auto sequence = append(database, project,
                               {.kind = "question",
                                .question = question.id,
                                .body = body,
                                .guideline = question.guideline,
                                .asked_at = now,
                                .answered_at = now});
  database.run(
      "INSERT INTO questions (project, id, sequence, form, priority, wanted, reserved_for, round, gold, guideline)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      project, question.id, sequence, question.form.name, question.priority,
      static_cast<std::int64_t>(question.answers), question.reserved_for, question.round,
      std::int64_t{question.gold != nullptr}, question.guideline);
  return true;
}

std::string new_lease(const Database& database, const std::string& project, const std::string& question,
                      const Annotator& annotator, double now, double timeout) {
  const auto id = new_assignment_id();
  database.run("INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?, ?)", id, project, question, annotator.name,
               source_name(annotator.source), now, now + timeout);
  return id;
}

/// What makes a question one that this annotator may be asked. Bind: annotator, annotator, annotator.
constexpr const char* open_to_annotator =
    " AND (q.reserved_for = '' OR q.reserved_for = ?)"
    " AND q.given + (SELECT count(*) FROM leases l WHERE l.project = q.project AND l.question = q.id) < q.wanted"
    " AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.project = q.project AND a.question = q.id AND a.annotator = ?"
    " AND a.undone_by IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.project = q.project AND l.question = q.id AND l.annotator = ?)";

std::optional<std::string> find_open(const Database& database, const std::string& project, const std::string& annotator,
                                     bool gold, const std::string& round, const std::vector<std::string>& forms) {
  auto found = database.query(std::string("SELECT q.id, q.form FROM questions q INDEXED BY open_questions WHERE "
                                          "q.project = ? AND q.gold = ? AND q.round = ?"
                                          " AND q.given < q.wanted AND NOT q.withdrawn") +
                                  open_to_annotator + " ORDER BY q.priority DESC, q.sequence",
                              project, std::int64_t{gold}, round, annotator, annotator, annotator);
  while (found.step()) {
    if (forms.empty() || std::find(forms.begin(), forms.end(), found.text(1)) != forms.end()) return found.text(0);
  }
  return std::nullopt;
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
void require_wanted(const Database& database, const std::string& project, const Assignment& assignment, bool skip) {
  const auto& id = assignment.question.id;
  const auto wanting =
      database.number("SELECT given < wanted FROM questions WHERE project = ? AND id = ?", project, id);
  if (!wanting)
    throw Error({.category = Category::check,
                 .where = database.path().string(),
                 .what = "it has no question \"" + id + "\"",
                 .fix = ""});
  const auto mine = database.number(
      "SELECT 1 FROM answers WHERE project = ? AND question = ? AND annotator = ? AND undone_by IS NULL", project, id,
      assignment.annotator.name);
  if (mine || (!skip && *wanting == 0)) {
    throw Error({.category = Category::check,
                 .where = database.path().string(),
                 .what = "the lease on \"" + id + "\" ran out and the question has been answered since",
                 .fix = "Lease another question."});
  }
}

constexpr const char* event_columns =
    "sequence, kind, question, annotator, source, guideline, asked_at, answered_at, body, revises";

Event event_of(const Database& database, const detail::Statement& row) {
  Event event;
  event.sequence = row.integer(0);
  event.question = row.text(2);
  event.guideline = row.text(5);
  event.asked_at = row.real(6);
  event.answered_at = row.real(7);
  event.revises = row.integer(9);
  const auto where = place(database, event.sequence);
  const auto body = parse_body(row.text(8), where);
  if (!row.text(3).empty()) event.annotator = {.name = row.text(3), .source = source_from_name(row.text(4), where)};
  const auto kind = row.text(1);
  if (kind == "question")
    event.body = question_from_json(body, where);
  else if (kind == "answer")
    event.body = answer_from_json(body, where);
  else if (kind == "undo")
    event.body = undo_from_json(body, where);
  else if (kind == "signal")
    event.body = signal_from_json(body, where);
  else if (kind == "document")
    event.body = document_from_json(body, where);
  else if (kind == "redaction")
    event.body = redaction_from_json(body, where);
  else
    event.body = requeue_from_json(body, where);
  return event;
}

void count_given(const Database& database, const std::string& project, const std::string& question, int change) {
  database.run("UPDATE questions SET given = given + ? WHERE project = ? AND id = ?", std::int64_t{change}, project,
               question);
}

AnnotatorRecord annotator_of(const detail::Statement& row) {
  AnnotatorRecord record;
  record.name = row.text(0);
  record.source = source_from_name(row.text(1), "annotators");
  record.standing = row.text(2) == "active"   ? Standing::active
                    : row.text(2) == "paused" ? Standing::paused
                                              : Standing::revoked;
  record.quota = row.integer(3);
  record.passed = parse_body(row.text(4), "annotators").get<std::vector<std::string>>();
  record.profile = parse_body(row.text(5), "annotators");
  return record;
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::string& location, const StoreOptions& options) {
  auto state =
      std::unique_ptr<State>(new State{Database(location, options.read_only, options.busy), options, location, {}});
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
    for (const auto& question : questions)
      fresh += publish_one(state_->database, state_->project(), question, state_->now()) ? 1 : 0;
  });
  return fresh;
}

std::int64_t Store::publish(const Document& document) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  const auto body = dump(to_json(document));
  std::int64_t sequence = 0;
  database.transaction([&] {
    auto old = database.query(
        "SELECT e.sequence, e.body FROM documents d JOIN events e ON e.sequence = d.sequence"
        " WHERE d.project = ? AND d.kind = ? AND d.name = ?",
        project, document.kind, document.name);
    if (old.step() && old.text(1) == body) {
      sequence = old.integer(0);
      return;
    }
    const double now = state_->now();
    sequence = append(database, project,
                      {.kind = "document", .question = "", .body = body, .asked_at = now, .answered_at = now});
    database.run("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", project, document.kind, document.name,
                 sequence);
    if (document.kind == "guideline" && document.ask_again)
      database.run("UPDATE questions SET wanted = given + 1 WHERE project = ? AND guideline <> ? AND given >= wanted",
                   project, document.version);
  });
  return sequence;
}

std::optional<Document> Store::document(std::string_view kind, std::string_view name) const {
  for (auto& each : documents(kind)) {
    if (each.name == name) return each;
  }
  return std::nullopt;
}

std::vector<Document> Store::documents(std::string_view kind) const {
  const std::lock_guard guard(state_->mutex);
  auto rows = state_->database.query(
      "SELECT e.body, e.sequence FROM documents d JOIN events e ON e.sequence = d.sequence"
      " WHERE d.project = ? AND d.kind = ? ORDER BY d.name",
      state_->project(), kind);
  std::vector<Document> found;
  while (rows.step()) {
    const auto where = place(state_->database, rows.integer(1));
    found.push_back(document_from_json(parse_body(rows.text(0), where), where));
  }
  return found;
}

std::optional<Assignment> Store::lease(const Annotator& annotator, std::chrono::duration<double> timeout) {
  LeaseOptions options;
  options.timeout = timeout;
  return lease(annotator, options);
}

std::optional<Assignment> Store::lease(const Annotator& annotator, const LeaseOptions& options) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::optional<Assignment> assignment;
  database.transaction([&] {
    const double now = state_->now();
    database.run("DELETE FROM leases WHERE expires_at <= ?", now);
    AnnotatorRecord record;
    auto listed = database.query(
        "SELECT name, source, standing, quota, passed, profile FROM annotators WHERE project = ? AND name = ?", project,
        annotator.name);
    if (listed.step()) record = annotator_of(listed);
    if (record.standing != Standing::active) return;
    if (record.quota > 0 && database.number("SELECT count(*) FROM answers WHERE project = ? AND annotator = ? AND "
                                            "undone_by IS NULL AND NOT skip",
                                            project, annotator.name)
                                    .value_or(0) >= record.quota)
      return;
    std::optional<std::string> id;
    for (const auto& round : options.required_rounds) {
      if (std::find(record.passed.begin(), record.passed.end(), round) != record.passed.end()) continue;
      id = find_open(database, project, annotator.name, true, round, options.forms);
      if (!id) return;
      break;
    }
    const auto draw = static_cast<double>(std::random_device{}()) / 4294967296.0;
    if (!id && draw < options.gold_share) id = find_open(database, project, annotator.name, true, "", options.forms);
    if (!id) id = find_open(database, project, annotator.name, false, "", options.forms);
    if (!id) return;
    const auto lease = new_lease(database, project, *id, annotator, now, options.timeout.count());
    assignment =
        Assignment{lease, *find_question(database, project, *id), annotator, now, now + options.timeout.count()};
  });
  return assignment;
}

std::optional<Assignment> Store::lease_question(const Annotator& annotator, const std::string& question,
                                                std::chrono::duration<double> timeout) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::optional<Assignment> assignment;
  database.transaction([&] {
    const double now = state_->now();
    database.run("DELETE FROM leases WHERE expires_at <= ?", now);
    auto found = database.query(std::string("SELECT q.id FROM questions q WHERE q.project = ? AND q.id = ? AND q.given "
                                            "< q.wanted AND NOT q.withdrawn") +
                                    open_to_annotator,
                                project, question, annotator.name, annotator.name, annotator.name);
    if (!found.step()) return;
    const auto lease = new_lease(database, project, question, annotator, now, timeout.count());
    assignment = Assignment{lease, *find_question(database, project, question), annotator, now, now + timeout.count()};
  });
  return assignment;
}

std::vector<Assignment> Store::held(const Annotator& annotator) const {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  auto rows = database.query(
      "SELECT assignment, question, leased_at, expires_at FROM leases WHERE project = ? AND annotator = ? AND "
      "expires_at > ? ORDER BY leased_at, assignment",
      state_->project(), annotator.name, state_->now());
  std::vector<Assignment> found;
  while (rows.step())
    found.push_back({rows.text(0), *find_question(database, state_->project(), rows.text(1)), annotator, rows.real(2),
                     rows.real(3)});
  return found;
}

std::optional<Assignment> Store::assignment(const std::string& id) const {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  auto row = database.query(
      "SELECT question, annotator, source, leased_at, expires_at FROM leases WHERE assignment = ? AND project = ?", id,
      state_->project());
  if (row.step())
    return Assignment{id,
                      *find_question(database, state_->project(), row.text(0)),
                      {row.text(1), source_from_name(row.text(2), id)},
                      row.real(3),
                      row.real(4)};
  auto answered = database.query(
      "SELECT a.question, e.annotator, e.source, e.asked_at FROM answers a JOIN events e ON e.sequence = a.sequence "
      "WHERE a.assignment = ? AND a.project = ?",
      id, state_->project());
  if (!answered.step()) return std::nullopt;
  return Assignment{id,
                    *find_question(database, state_->project(), answered.text(0)),
                    {answered.text(1), source_from_name(answered.text(2), id)},
                    answered.real(3),
                    answered.real(3)};
}

bool Store::extend(const std::string& assignment, std::chrono::duration<double> timeout) {
  const std::lock_guard guard(state_->mutex);
  const double now = state_->now();
  return state_->database.run("UPDATE leases SET expires_at = ? WHERE assignment = ? AND expires_at > ?",
                              now + timeout.count(), assignment, now) > 0;
}

void Store::release(const Assignment& assignment) {
  const std::lock_guard guard(state_->mutex);
  state_->database.run("DELETE FROM leases WHERE assignment = ?", assignment.id);
}

void Store::release_all(const Annotator& annotator) {
  const std::lock_guard guard(state_->mutex);
  state_->database.run("DELETE FROM leases WHERE project = ? AND annotator = ?", state_->project(), annotator.name);
}

namespace {

void record_answer(const Database& database, const std::string& project, std::int64_t sequence,
                   const std::string& assignment, const std::string& question, const std::string& annotator,
                   const Answer& answer) {
  const bool skip = std::holds_alternative<Skip>(answer.said);
  database.run(
      "INSERT INTO answers (sequence, project, assignment, question, annotator, skip, flagged) VALUES (?, ?, ?, ?, ?, "
      "?, ?)",
      sequence, project, assignment, question, annotator, std::int64_t{skip}, std::int64_t{!answer.flags.empty()});
  if (!skip) count_given(database, project, question, 1);
}

}  // namespace

std::int64_t Store::answer(const Assignment& assignment, const Answer& answer) {
  validate(answer, assignment.question);
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  const auto body = dump(to_json(answer));
  std::int64_t sequence = 0;
  database.transaction([&] {
    if (const auto old = find_answer(database, assignment.id, body)) {
      sequence = *old;
      return;
    }
    require_wanted(database, project, assignment, std::holds_alternative<Skip>(answer.said));
    const auto& id = assignment.question.id;
    sequence = append(database, project,
                      {.kind = "answer",
                       .question = id,
                       .body = body,
                       .annotator = assignment.annotator,
                       .guideline = assignment.question.guideline,
                       .asked_at = assignment.leased_at,
                       .answered_at = state_->now()});
    record_answer(database, project, sequence, assignment.id, id, assignment.annotator.name, answer);
    database.run("DELETE FROM leases WHERE assignment = ?", assignment.id);
  });
  return sequence;
}

namespace {

struct OwnAnswer {
  std::string question;
  bool skip = false;
  std::optional<std::int64_t> undone_by;
};

OwnAnswer own_answer(const Database& database, const std::string& project, const Annotator& annotator,
                     std::int64_t answer) {
  auto found = database.query(
      "SELECT question, skip, undone_by FROM answers WHERE sequence = ? AND annotator = ? AND project = ?", answer,
      annotator.name, project);
  if (!found.step()) {
    throw Error({.category = Category::check,
                 .where = database.path().string(),
                 .what = "event " + std::to_string(answer) + " is no answer of " + annotator.name +
                         "; only one's own answers can be taken back",
                 .fix = ""});
  }
  OwnAnswer standing{found.text(0), found.integer(1) != 0, {}};
  if (!found.is_null(2)) standing.undone_by = found.integer(2);
  return standing;
}

}  // namespace

std::int64_t Store::undo(const Annotator& annotator, std::int64_t answer) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::int64_t sequence = 0;
  database.transaction([&] {
    const auto earlier = own_answer(database, project, annotator, answer);
    if (earlier.undone_by) {
      sequence = *earlier.undone_by;
      return;
    }
    const double now = state_->now();
    sequence = append(database, project,
                      {.kind = "undo",
                       .question = earlier.question,
                       .body = dump(to_json(Undo{answer})),
                       .annotator = annotator,
                       .asked_at = now,
                       .answered_at = now});
    database.run("UPDATE answers SET undone_by = ? WHERE sequence = ?", sequence, answer);
    if (!earlier.skip) count_given(database, project, earlier.question, -1);
  });
  return sequence;
}

std::int64_t Store::revise(const Annotator& annotator, std::int64_t earlier, const Answer& answer) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::int64_t sequence = 0;
  database.transaction([&] {
    const auto old = own_answer(database, project, annotator, earlier);
    const auto question = *find_question(database, project, old.question);
    validate(answer, question);
    const auto body = dump(to_json(answer));
    if (old.undone_by) {
      auto same = database.query("SELECT body FROM events WHERE sequence = ? AND kind = 'answer'", *old.undone_by);
      if (same.step() && same.text(0) == body) {
        sequence = *old.undone_by;
        return;
      }
      throw Error({.category = Category::check,
                   .where = place(database, earlier),
                   .what = "it was taken back or replaced already",
                   .fix = ""});
    }
    const double now = state_->now();
    sequence = append(database, project,
                      {.kind = "answer",
                       .question = old.question,
                       .body = body,
                       .annotator = annotator,
                       .guideline = question.guideline,
                       .asked_at = now,
                       .answered_at = now,
                       .revises = earlier});
    database.run("UPDATE answers SET undone_by = ? WHERE sequence = ?", sequence, earlier);
    if (!old.skip) count_given(database, project, old.question, -1);
    record_answer(database, project, sequence, new_assignment_id(), old.question, annotator.name, answer);
  });
  return sequence;
}

std::int64_t Store::signal(const Annotator& annotator, const ScalarSignal& signal) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::int64_t sequence = 0;
  database.transaction([&] {
    if (const auto old =
            database.number("SELECT sequence FROM signals WHERE project = ? AND session = ? AND number = ?", project,
                            signal.session, signal.number)) {
      sequence = *old;
      return;
    }
    const double now = state_->now();
    sequence = append(database, project,
                      {.kind = "signal",
                       .question = "",
                       .body = dump(to_json(signal)),
                       .annotator = annotator,
                       .asked_at = now,
                       .answered_at = now});
    database.run("INSERT INTO signals VALUES (?, ?, ?, ?)", project, signal.session, signal.number, sequence);
  });
  return sequence;
}

std::int64_t Store::requeue(const std::string& question, const Requeue& change) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::int64_t sequence = 0;
  database.transaction([&] {
    if (!database.number("SELECT 1 FROM questions WHERE project = ? AND id = ?", project, question))
      throw Error({.category = Category::check,
                   .where = database.path().string(),
                   .what = "it has no question \"" + question + "\"",
                   .fix = ""});
    const double now = state_->now();
    sequence = append(
        database, project,
        {.kind = "requeue", .question = question, .body = dump(to_json(change)), .asked_at = now, .answered_at = now});
    if (change.priority)
      database.run("UPDATE questions SET priority = ? WHERE project = ? AND id = ?", *change.priority, project,
                   question);
    if (change.answers)
      database.run("UPDATE questions SET wanted = ? WHERE project = ? AND id = ?", std::int64_t{*change.answers},
                   project, question);
    database.run("UPDATE questions SET withdrawn = ? WHERE project = ? AND id = ?", std::int64_t{change.withdrawn},
                 project, question);
  });
  return sequence;
}

std::vector<Event> Store::read(std::int64_t after, std::int64_t limit) const {
  const std::lock_guard guard(state_->mutex);
  auto rows = state_->database.query(std::string("SELECT ") + event_columns +
                                         " FROM events WHERE project = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                                     state_->project(), after, limit);
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

std::vector<Event> Store::search(const Search& wanted) const {
  const std::lock_guard guard(state_->mutex);
  const std::string pattern = "%" + wanted.text + "%";
  auto rows = state_->database.query(
      "SELECT e.sequence, e.kind, e.question, e.annotator, e.source, e.guideline, e.asked_at, e.answered_at, e.body, "
      "e.revises"
      " FROM answers a JOIN events e ON e.sequence = a.sequence JOIN questions q ON q.project = a.project AND q.id = "
      "a.question"
      " JOIN events p ON p.sequence = q.sequence"
      " WHERE a.project = ? AND a.undone_by IS NULL AND (? = '' OR a.annotator = ?) AND (? = '' OR q.form = ?) AND (? "
      "= '' OR a.question = ?)"
      " AND (? = 0 OR a.sequence < ?) AND (? = 0 OR a.flagged) AND (? = 0 OR a.skip)"
      " AND (? = '%%' OR p.body LIKE ? OR e.body LIKE ?) ORDER BY a.sequence DESC LIMIT ?",
      state_->project(), wanted.annotator, wanted.annotator, wanted.form, wanted.form, wanted.question, wanted.question,
      wanted.before, wanted.before, std::int64_t{wanted.flagged}, std::int64_t{wanted.skipped}, pattern, pattern,
      pattern, wanted.limit);
  std::vector<Event> events;
  while (rows.step()) events.push_back(event_of(state_->database, rows));
  return events;
}

std::vector<QueueEntry> Store::queue(const QueueFilter& filter) const {
  using Wanted = QueueFilter::State;
  const std::lock_guard guard(state_->mutex);
  const auto& project = state_->project();
  static const std::map<Wanted, const char*> conditions = {{Wanted::any, "1"},
                                                           {Wanted::open, "q.given < q.wanted AND NOT q.withdrawn"},
                                                           {Wanted::leased, "leased > 0"},
                                                           {Wanted::done, "q.given >= q.wanted"},
                                                           {Wanted::flagged, "flags > 0"},
                                                           {Wanted::withdrawn, "q.withdrawn"}};
  auto rows = state_->database.query(
      std::string(
          "SELECT q.sequence, e.body, q.wanted, q.given, q.priority, q.withdrawn,"
          " (SELECT count(*) FROM leases l WHERE l.project = q.project AND l.question = q.id) AS leased,"
          " (SELECT count(*) FROM answers a WHERE a.project = q.project AND a.question = q.id AND a.flagged) AS flags"
          " FROM questions q JOIN events e ON e.sequence = q.sequence"
          " WHERE q.project = ? AND (? = '' OR q.form = ?) AND (? = 0 OR q.sequence < ?) AND ") +
          conditions.at(filter.state) + " ORDER BY q.sequence DESC LIMIT ?",
      project, filter.form, filter.form, filter.before, filter.before, filter.limit);
  std::vector<QueueEntry> found;
  while (rows.step()) {
    const auto where = place(state_->database, rows.integer(0));
    found.push_back({rows.integer(0), question_from_json(parse_body(rows.text(1), where), where), rows.integer(2),
                     rows.integer(3), rows.integer(6), rows.integer(7), rows.real(4), rows.integer(5) != 0});
  }
  return found;
}

std::optional<Question> Store::question(const std::string& id) const {
  const std::lock_guard guard(state_->mutex);
  return find_question(state_->database, state_->project(), id);
}

std::vector<Question> Store::questions_of_round(std::string_view round) const {
  const std::lock_guard guard(state_->mutex);
  auto rows = state_->database.query("SELECT id FROM questions WHERE project = ? AND round = ? ORDER BY sequence",
                                     state_->project(), round);
  std::vector<Question> found;
  while (rows.step()) found.push_back(*find_question(state_->database, state_->project(), rows.text(0)));
  return found;
}

std::vector<Event> Store::answers_to(const std::string& question) const {
  const std::lock_guard guard(state_->mutex);
  auto rows = state_->database.query(std::string("SELECT ") + event_columns +
                                         " FROM events WHERE sequence IN (SELECT sequence FROM answers WHERE project = "
                                         "? AND question = ? AND undone_by IS NULL) ORDER BY sequence",
                                     state_->project(), question);
  std::vector<Event> events;
  while (rows.step()) events.push_back(event_of(state_->database, rows));
  return events;
}

std::int64_t Store::latest() const {
  const std::lock_guard guard(state_->mutex);
  return state_->database.number("SELECT max(sequence) FROM events WHERE project = ?", state_->project()).value_or(0);
}

Counts Store::counts() const {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  const auto count = [&](std::string_view sql) { return database.number(sql, project).value_or(0); };
  return {
      .questions = count("SELECT count(*) FROM questions WHERE project = ?"),
      .open = count("SELECT count(*) FROM questions WHERE project = ? AND given < wanted AND NOT withdrawn"),
      .leased =
          database.number("SELECT count(*) FROM leases WHERE project = ? AND expires_at > ?", project, state_->now())
              .value_or(0),
      .answers = count("SELECT count(*) FROM answers WHERE project = ? AND NOT skip AND undone_by IS NULL"),
      .skips = count("SELECT count(*) FROM answers WHERE project = ? AND skip AND undone_by IS NULL"),
      .undone = count("SELECT count(*) FROM answers WHERE project = ? AND undone_by IS NOT NULL")};
}

std::int64_t Store::answered_by(std::string_view annotator) const {
  const std::lock_guard guard(state_->mutex);
  return state_->database
      .number("SELECT count(*) FROM answers WHERE project = ? AND annotator = ? AND NOT skip AND undone_by IS NULL",
              state_->project(), annotator)
      .value_or(0);
}

std::vector<AnnotatorRecord> Store::annotators() const {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  std::vector<AnnotatorRecord> found;
  auto listed = database.query(
      "SELECT name, source, standing, quota, passed, profile FROM annotators WHERE project = ? ORDER BY name",
      state_->project());
  while (listed.step()) found.push_back(annotator_of(listed));
  auto others = database.query(
      "SELECT DISTINCT e.annotator, e.source FROM answers a JOIN events e ON e.sequence = a.sequence"
      " WHERE a.project = ? AND a.annotator NOT IN (SELECT name FROM annotators WHERE project = ?) ORDER BY 1",
      state_->project(), state_->project());
  while (others.step()) {
    AnnotatorRecord record;
    record.name = others.text(0);
    record.source = source_from_name(others.text(1), "annotators");
    found.push_back(record);
  }
  return found;
}

void Store::set(const AnnotatorRecord& record) {
  const std::lock_guard guard(state_->mutex);
  const char* standing = record.standing == Standing::active   ? "active"
                         : record.standing == Standing::paused ? "paused"
                                                               : "revoked";
  state_->database.run("INSERT OR REPLACE INTO annotators VALUES (?, ?, ?, ?, ?, ?, ?)", state_->project(), record.name,
                       source_name(record.source), std::string_view(standing), record.quota,
                       dump(nlohmann::json(record.passed)), dump(record.profile));
}

std::int64_t Store::erase(std::string_view annotator, const std::string& reason) {
  const std::lock_guard guard(state_->mutex);
  const auto& database = state_->database;
  const auto& project = state_->project();
  std::int64_t gone = 0;
  database.execute("PRAGMA secure_delete = ON");
  database.transaction([&] {
    database.run("INSERT INTO erasing VALUES (?)", annotator);
    database.run(
        "UPDATE questions SET given = given - (SELECT count(*) FROM answers a WHERE a.project = questions.project AND "
        "a.question = questions.id"
        " AND a.annotator = ? AND NOT a.skip AND a.undone_by IS NULL) WHERE project = ? AND id IN (SELECT question "
        "FROM answers WHERE project = ? AND annotator = ?)",
        annotator, project, project, annotator);
    database.run("DELETE FROM answers WHERE project = ? AND annotator = ?", project, annotator);
    database.run("DELETE FROM leases WHERE project = ? AND annotator = ?", project, annotator);
    database.run(
        "DELETE FROM signals WHERE project = ? AND sequence IN (SELECT sequence FROM events WHERE project = ? AND "
        "annotator = ?)",
        project, project, annotator);
    database.run("DELETE FROM annotators WHERE project = ? AND name = ?", project, annotator);
    gone = database.run("DELETE FROM events WHERE project = ? AND annotator = ?", project, annotator);
    database.run("DELETE FROM erasing");
    const double now = state_->now();
    append(database, project,
           {.kind = "redaction",
            .question = "",
            .body = dump(to_json(Redaction{gone, reason})),
            .asked_at = now,
            .answered_at = now});
  });
  database.execute("PRAGMA wal_checkpoint(TRUNCATE)");  // the write-ahead log still held the rows
  return gone;
}

void Store::backup(const std::filesystem::path& file) const {
  const std::lock_guard guard(state_->mutex);
  state_->database.run("VACUUM INTO ?", file.string());
}

std::vector<std::string> Store::projects() const {
  const std::lock_guard guard(state_->mutex);
  auto rows = state_->database.query("SELECT DISTINCT project FROM events ORDER BY project");
  std::vector<std::string> found;
  while (rows.step()) found.push_back(rows.text(0));
  return found;
}

const std::string& Store::location() const { return state_->location; }

}  // namespace rlhf::feedback
