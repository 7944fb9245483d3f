#include "rlhf/feedback/store.h"

#include <utility>

#include "rlhf/feedback/detail/schema.h"
#include "rlhf/feedback/detail/store_state.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {
namespace {

using detail::Database;
using detail::Queue;

std::int64_t find_project(Database& database, const std::string& name, bool read_only) {
  const auto find = [&] { return database.number("SELECT id FROM projects WHERE name = ?", name); };
  if (const auto found = find()) return *found;
  if (read_only) return 0;  // nothing is in it
  database.transaction([&] { database.run("INSERT INTO projects (name) VALUES (?) ON CONFLICT DO NOTHING", name); });
  return find().value();
}

void limit_size(Database& database, std::int64_t most) {
  if (most <= 0 || detail::is_postgres(database.location())) return;
  const auto page = database.number("PRAGMA page_size").value_or(4096);
  database.script("PRAGMA max_page_count = " + std::to_string(std::max<std::int64_t>(1, most / page)));
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::string& location, const StoreOptions& options) {
  const detail::Access access{.read_only = options.read_only, .busy = options.busy};
  auto database = detail::connect(location, access);
  detail::open_schema(*database, options.read_only);
  limit_size(*database, options.max_bytes);
  const auto project = find_project(*database, options.project, options.read_only);
  const auto name = database->location();
  return Store(std::unique_ptr<State>(new State{name, options, project, detail::Writer(std::move(database)),
                                                detail::Readers(location, access), detail::connect(location, access)}));
}

namespace {

/// True when an earlier program wrote the same question in its own words.
bool says_the_same(const std::string& old, const std::string& body, std::int64_t sequence,
                   const std::string& location) {
  return old == body || detail::dump(to_json(detail::question_of(old, sequence, location))) == body;
}

}  // namespace

std::int64_t Store::publish(const Question& question) { return publish(std::vector<Question>{question}); }

std::int64_t Store::publish(const std::vector<Question>& questions) {
  std::vector<std::string> bodies;
  for (const auto& question : questions) {
    validate(question);
    bodies.push_back(detail::dump(to_json(question)));
  }
  std::int64_t fresh = 0;
  state_->change([&](Database& database, Queue& queue) {
    fresh = 0;
    const double now = state_->now();
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto& question = questions[i];
      const auto old = database.row(
          "SELECT e.body, e.sequence FROM questions q JOIN events e ON e.sequence = q.sequence"
          " WHERE q.project = ? AND q.id = ?",
          state_->project, question.id);
      if (old && says_the_same(old->text(0), bodies[i], old->integer(1), state_->location)) continue;
      if (old) {
        state_->contradiction("a different question is already stored under the id \"" + question.id + "\"",
                              "The run that wrote it had other data, settings or weights: use another store or another"
                              " run name.");
      }
      const auto sequence = detail::append(database, state_->project,
                                           {.kind = "question",
                                            .question = question.id,
                                            .annotator = {},
                                            .guideline = question.guideline,
                                            .asked_at = now,
                                            .answered_at = now,
                                            .body = bodies[i]});
      queue.add(question, sequence);
      ++fresh;
    }
  });
  return fresh;
}

std::vector<Event> Store::read(std::int64_t after, std::int64_t limit) const {
  static const auto sql = std::string("SELECT ") + detail::event_columns +
                          " FROM events e WHERE e.project = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?";
  const auto rows =
      state_->readers.run([&](Database& database) { return database.query(sql, state_->project, after, limit); });
  return detail::events_of(rows, state_->location);
}

/// One of those who wait listens for all of them; the others are told when it has heard something or gives up.
bool Store::wait(std::int64_t after, std::chrono::duration<double> timeout) const {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout);
  std::unique_lock lock(state_->mutex);
  for (;;) {
    if (state_->somebody_listens) {
      state_->news.wait_until(lock, deadline, [&] { return !state_->somebody_listens; });
    }
    lock.unlock();
    const bool there = latest() > after;
    lock.lock();
    if (there) return true;
    const std::chrono::duration<double> left = deadline - Clock::now();
    if (left.count() <= 0) return false;
    if (state_->somebody_listens) continue;
    const State::Listening listening(*state_, lock);
    if (latest() > after) return true;  // it came before we listened
    state_->follower->wait(std::min(left, std::chrono::duration<double>(1.0)));
  }
}

std::optional<Question> Store::question(const std::string& id) const {
  const auto row = state_->readers.run([&](Database& database) {
    return database.row(
        "SELECT e.body, e.sequence FROM questions q JOIN events e ON e.sequence = q.sequence"
        " WHERE q.project = ? AND q.id = ?",
        state_->project, id);
  });
  if (!row) return std::nullopt;
  return detail::question_of(row->text(0), row->integer(1), state_->location);
}

std::int64_t Store::latest() const {
  return state_->readers.run([&](Database& database) {
    return database.number("SELECT max(sequence) FROM events WHERE project = ?", state_->project).value_or(0);
  });
}

const std::string& Store::location() const { return state_->location; }

}  // namespace rlhf::feedback
