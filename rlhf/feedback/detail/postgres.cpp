#include "rlhf/feedback/detail/postgres.h"

#include <libpq-fe.h>
#include <poll.h>

#include <charconv>
#include <thread>
#include <utility>

#include "rlhf/feedback/detail/token.h"

namespace rlhf::feedback::detail {

void ClosePostgres::operator()(pg_conn* connection) const { PQfinish(connection); }
void ClearResult::operator()(pg_result* result) const { PQclear(result); }

namespace {

// Sequence numbers must be commit order, or a follower that has read number 8 never sees a number 7 committed later:
// whoever writes takes this lock first and keeps it until its commit is visible.
constexpr int most_attempts = 10;  // a server that dies each time while we write to it will not be cured by an eleventh
constexpr const char* take_turn = "SELECT pg_advisory_xact_lock(8243102914963)";

/// The location without a password: for messages.
std::string redacted(std::string location) {
  const auto begin = location.find("//") + 2;
  const auto end = std::min(location.find_first_of("/?", begin), location.size());
  const auto at = location.rfind('@', end);
  const auto colon = location.find(':', begin);
  if (at != std::string::npos && at > begin && colon < at) location.erase(colon, at - colon);
  for (auto key = location.find("password="); key != std::string::npos; key = location.find("password=", key + 1)) {
    const auto value = key + 9;
    location.replace(value, std::min(location.find('&', value), location.size()) - value, "...");
  }
  return location;
}

/// `?` becomes `$1`, `$2`, ...: no statement of the store has a question mark in a literal.
std::string numbered(std::string_view sql) {
  std::string text;
  int count = 0;
  for (const char each : sql) {
    if (each == '?') {
      text += '$' + std::to_string(++count);
    } else {
      text += each;
    }
  }
  return text;
}

template <class Number>
std::string as_text(Number number) {
  std::array<char, 32> buffer;
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

std::string text_of(const Value& value, const std::string& where) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return as_text(*integer);
  if (const auto* real = std::get_if<double>(&value)) return as_text(*real);
  std::string text(std::get<std::string_view>(value));
  if (text.find('\0') == std::string::npos) return text;
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = "a text holds a zero byte; PostgreSQL stores none",
               .fix = "Remove it, or use an SQLite store."});
}

Row::Cell cell_of(const pg_result* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return std::monostate{};
  const char* begin = PQgetvalue(result, row, column);
  const char* end = begin + PQgetlength(result, row, column);
  constexpr Oid int8 = 20, int4 = 23, float8 = 701;
  switch (PQftype(result, column)) {
    case int4:
    case int8: {
      std::int64_t value = 0;
      std::from_chars(begin, end, value);
      return value;
    }
    case float8: {
      double value = 0;
      std::from_chars(begin, end, value);
      return value;
    }
    default:
      return std::string(begin, end);
  }
}

}  // namespace

Postgres::Postgres(const std::string& location, const Access& access)
    : Database(redacted(location)), conninfo_(location), access_(access), writer_(random_token()) {
  try {
    open();
  } catch (const Lost&) {
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) unreachable();
}

Error::Parts Postgres::unreachable_parts() const {
  return {.category = Category::resource,
          .where = location(),
          .what = std::string("the database cannot be reached: ") + PQerrorMessage(connection_.get()),
          .fix = "Check that the server runs and that the location names host, user and database."};
}

void Postgres::unreachable() const { throw Unavailable(unreachable_parts()); }
void Postgres::lost() const { throw Lost(unreachable_parts()); }

void Postgres::fail(const pg_result* result) const {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field ? field : "";
  const char* said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  Error::Parts parts{.category = Category::failure,
                     .where = location(),
                     .what = std::string("PostgreSQL says: ") + (said ? said : "nothing"),
                     .fix = ""};
  if (state == "55P03") {
    throw Unavailable({.category = Category::resource,
                       .where = location(),
                       .what = "another process has been writing to it for too long",
                       .fix = "Stop that process, or try again."});
  }
  if (state == "25006") {
    parts.category = Category::resource;
    parts.what = "it is open for reading only, or its folder cannot be written to";
  } else if (state == "42501") {
    parts.category = Category::resource;
    parts.fix = "Grant the user the right to create and change tables.";
  } else if (state.starts_with("53")) {
    parts.category = Category::resource;
    parts.fix = "Free some space or raise the server's limits; everything acknowledged so far is safe.";
  } else if (state.starts_with("22")) {
    parts.category = Category::bad_data;
  }
  throw Error(std::move(parts));
}

void Postgres::open() {
  connection_.reset(PQconnectdb(conninfo_.c_str()));
  statements_.clear();
  outstanding_ = 0;
  listening_ = false;
  if (PQstatus(connection_.get()) != CONNECTION_OK) return;
  // Every statement has its index, and the planner knows nothing of a table that has just been filled: it would scan.
  script(
      "SET search_path = rlhf_feedback; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;"
      " SET jit = off; SET synchronous_commit = on; SET client_min_messages = warning; SET lock_timeout = " +
      std::to_string(access_.busy.count()) + ";" +
      (access_.read_only ? " SET default_transaction_read_only = on;" : ""));
  PQenterPipelineMode(connection_.get());
}

/// A server that restarts is back in a moment.
void Postgres::reopen() {
  const auto deadline = std::chrono::steady_clock::now() + access_.busy;
  for (;;) {
    try {
      open();
    } catch (const Lost&) {
    }
    if (PQstatus(connection_.get()) == CONNECTION_OK) return;
    if (std::chrono::steady_clock::now() >= deadline) unreachable();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Postgres::script(const std::string& sql) {
  const bool pipelined = PQpipelineStatus(connection_.get()) != PQ_PIPELINE_OFF;
  if (pipelined) {
    receive();
    PQexitPipelineMode(connection_.get());
  }
  const Result result(PQexec(connection_.get(), sql.c_str()));
  if (PQstatus(connection_.get()) != CONNECTION_OK) lost();
  if (pipelined) PQenterPipelineMode(connection_.get());
  if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) fail(result.get());
}

void Postgres::send(std::string_view sql, std::span<const Value> values) {
  auto& name = statements_[std::string(sql)];
  if (name.empty()) {
    name = "s" + std::to_string(++names_);
    if (!PQsendPrepare(connection_.get(), name.c_str(), numbered(sql).c_str(), 0, nullptr)) lost();
    ++outstanding_;
  }
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(text_of(value, location()));
  std::vector<const char*> pointers;
  for (const auto& text : texts) pointers.push_back(text.c_str());
  if (!PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(pointers.size()), pointers.data(), nullptr,
                           nullptr, 0))
    lost();
  ++outstanding_;
}

Postgres::Result Postgres::receive() {
  if (!PQpipelineSync(connection_.get())) lost();
  Result last, error;
  for (int left = std::exchange(outstanding_, 0); left > 0; --left) {
    last.reset(PQgetResult(connection_.get()));
    if (!last || PQstatus(connection_.get()) != CONNECTION_OK) lost();
    if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR && !error) error = std::move(last);
    while (const Result rest{PQgetResult(connection_.get())}) {
    }
  }
  const Result sync(PQgetResult(connection_.get()));
  if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) lost();
  if (!error) return last;
  statements_.clear();  // what was prepared behind the failure was not; names are never used again
  fail(error.get());
}

Rows Postgres::select(std::string_view sql, std::span<const Value> values) {
  Result result;
  try {
    send(sql, values);
    result = receive();
  } catch (const Lost&) {
    if (in_transaction_) throw;
    reopen();  // it only read: asking again changes nothing
    send(sql, values);
    result = receive();
  }
  Rows rows;
  const int columns = PQnfields(result.get());
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    std::vector<Row::Cell> cells;
    for (int column = 0; column < columns; ++column) cells.push_back(cell_of(result.get(), row, column));
    rows.emplace_back(std::move(cells));
  }
  return rows;
}

void Postgres::change(std::string_view sql, std::span<const Value> values) {
  if (!in_transaction_) {
    transaction([&] { send(sql, values); });
    return;
  }
  send(sql, values);
}

bool Postgres::was_committed(std::int64_t token) {
  return number("SELECT token FROM commits WHERE writer = ?", writer_) == token;
}

void Postgres::abandon() {
  try {
    query("ROLLBACK");
  } catch (const Error&) {  // the failure being reported is the one that counts
  }
}

void Postgres::attempt(const std::function<void()>& work, std::int64_t token, bool& committing) {
  send("BEGIN", {});
  send(take_turn, {});
  // The lock also waits for an earlier connection of ours whose commit is still on its way.
  if (std::exchange(committing, false) && was_committed(token)) {
    query("COMMIT");
    return;
  }
  const auto before = writes();
  work();
  if (writes() != before) {
    query("INSERT INTO commits VALUES (?, ?) ON CONFLICT (writer) DO UPDATE SET token = excluded.token, made = now()",
          writer_, token);
    query("SELECT pg_notify('rlhf_feedback', '')");
    committing = true;
  }
  query("COMMIT");
}

/// A connection lost during a commit leaves it open whether the commit was made. Each transaction writes its token with
/// the rest, and the next connection looks for it before anything is done twice.
void Postgres::transaction(const std::function<void()>& work) {
  const auto token = ++token_;
  bool committing = false;
  for (int attempts = 1;; ++attempts) {
    in_transaction_ = true;
    try {
      attempt(work, token, committing);
      in_transaction_ = false;
      return;
    } catch (const Lost&) {
      in_transaction_ = false;
      if (attempts == most_attempts) throw;
      reopen();
    } catch (...) {
      abandon();
      in_transaction_ = false;
      throw;
    }
  }
}

void Postgres::wait(std::chrono::duration<double> timeout) {
  try {
    if (!std::exchange(listening_, true)) {
      query("LISTEN rlhf_feedback");
      return;
    }
    pollfd socket{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
    ::poll(&socket, 1, static_cast<int>(timeout.count() * 1000));
    if (!PQconsumeInput(connection_.get())) lost();
    while (auto* notice = PQnotifies(connection_.get())) PQfreemem(notice);
  } catch (const Lost&) {
    reopen();
  }
}

/// Takes the dead rows out of the tables. The server's own write-ahead log and its archives are the administrator's.
void Postgres::scrub() { script("VACUUM events, answers, assignments, seen, annotators, signals"); }

void Postgres::copy_to(const std::filesystem::path&) {
  throw Error({.category = Category::usage,
               .where = location(),
               .what = "a PostgreSQL store is not copied file by file",
               .fix = "Use pg_dump; it makes a consistent copy of the live database."});
}

}  // namespace rlhf::feedback::detail
