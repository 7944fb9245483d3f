#include "rlhf/feedback/detail/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace rlhf::feedback::detail {

void CloseSqlite::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

namespace {

Error::Parts meaning_of(int code, sqlite3* handle) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {.category = Category::resource,
              .what = "another process has been writing to it for too long",
              .fix = "Stop that process, or try again."};
    case SQLITE_FULL:
      return {.category = Category::resource,
              .what = "there is no room for more: the disk is full, or the store has reached its size limit",
              .fix = "Free some space or raise the limit; everything acknowledged so far is safe."};
    case SQLITE_READONLY:
      return {.category = Category::resource,
              .what = "it is open for reading only, or its folder cannot be written to",
              .fix = "Check the permissions of the file and of its folder (two more files lie beside it)."};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {.category = Category::resource,
              .what = "the file cannot be opened",
              .fix = "Check that its folder exists and that you may read and write there."};
    case SQLITE_IOERR:
      return {.category = Category::resource,
              .what = std::string("reading or writing failed: ") + sqlite3_errmsg(handle),
              .fix = "Check the disk."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {.category = Category::bad_data,
              .what = std::string("it is damaged, or no feedback store (") + sqlite3_errmsg(handle) + ")",
              .fix = "Check the path; `sqlite3 FILE .recover` rescues what is left of a damaged store."};
    default:
      return {.category = Category::failure, .what = std::string("SQLite says: ") + sqlite3_errmsg(handle), .fix = ""};
  }
}

Row::Cell cell_of(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return std::monostate{};
    default: {
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
  }
}

int bind(sqlite3_stmt* statement, int place, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, place, *integer);
  if (const auto* real = std::get_if<double>(&value)) return sqlite3_bind_double(statement, place, *real);
  const auto text = std::get<std::string_view>(value);
  return sqlite3_bind_text64(statement, place, text.data() ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

/// Makes a statement ready for its next use, whatever happened to this one.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

void Sqlite::fail(int code) const {
  auto parts = meaning_of(code, handle_.get());
  parts.where = location();
  if ((code & 0xFF) == SQLITE_BUSY) throw Unavailable(std::move(parts));
  throw Error(std::move(parts));
}

Sqlite::Sqlite(const std::string& path, const Access& access) : Database(path), busy_(access.busy) {
  const int flags =
      (access.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_handler(opened, wait_for_writer, this);
  // Other programs' files must stay as they are: nothing here may write before the schema has been looked at.
  script("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -32000;");
}

/// SQLite's own waiting sleeps up to 100 ms at a time, which an annotator would notice.
int Sqlite::wait_for_writer(void* self, int tries) {
  auto& database = *static_cast<Sqlite*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) database.busy_since_ = now;
  if (now - database.busy_since_ >= database.busy_) return 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(std::min(1 + tries / 4, 5)));
  return 1;
}

void Sqlite::script(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

sqlite3_stmt* Sqlite::prepared(std::string_view sql) {
  auto& statement = statements_[std::string(sql)];
  if (!statement) {
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) fail(code);
    statement.reset(made);
  }
  return statement.get();
}

bool Sqlite::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code);
  return code == SQLITE_ROW;
}

Rows Sqlite::select(std::string_view sql, std::span<const Value> values) {
  const Reset reset{prepared(sql)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (const int code = bind(reset.statement, static_cast<int>(i) + 1, values[i]); code != SQLITE_OK) fail(code);
  }
  Rows rows;
  const int columns = sqlite3_column_count(reset.statement);
  while (step(reset.statement)) {
    std::vector<Row::Cell> cells;
    cells.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) cells.push_back(cell_of(reset.statement, column));
    rows.emplace_back(std::move(cells));
  }
  return rows;
}

void Sqlite::change(std::string_view sql, std::span<const Value> values) { select(sql, values); }

void Sqlite::transaction(const std::function<void()>& work) {
  query("BEGIN IMMEDIATE");  // takes the write lock now: what is read inside cannot change before the commit
  try {
    work();
    query("COMMIT");
  } catch (...) {
    // Some failures (a full disk) have rolled back already.
    if (!sqlite3_get_autocommit(handle_.get())) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

void Sqlite::wait(std::chrono::duration<double> timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {  // SQLite offers no way to be told; this reads one word of shared memory
    const auto version = number("PRAGMA data_version").value_or(0);
    if (std::exchange(seen_version_, version) != version || std::chrono::steady_clock::now() >= deadline) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// Deleted cells are zeroed as they go (secure_delete); the write-ahead log still has them until it is cut to nothing.
void Sqlite::scrub() {
  if (number("PRAGMA wal_checkpoint(TRUNCATE)").value_or(1) == 0) return;
  throw Unavailable({.category = Category::resource,
                     .where = location(),
                     .what = "the rows are gone, but a reader keeps the write-ahead log, where copies of them remain",
                     .fix = "Stop the programs that read the store, then open and close it once."});
}

void Sqlite::copy_to(const std::filesystem::path& file) {
  const auto part = file.string() + ".part";
  std::filesystem::remove(part);
  query("VACUUM INTO ?", part);
  const int written = ::open(part.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = written >= 0 && ::fsync(written) == 0;
  if (written >= 0) ::close(written);
  if (!synced) fail(SQLITE_IOERR);
  std::filesystem::rename(part, file);
}

}  // namespace rlhf::feedback::detail
