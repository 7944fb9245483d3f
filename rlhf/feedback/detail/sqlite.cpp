#include "rlhf/feedback/detail/sqlite.h"

#include <sqlite3.h>

#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::feedback::detail {

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

namespace {

struct Meaning {
  Category category;
  std::string what, fix;
};

Meaning meaning_of(int code, sqlite3* handle) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Category::resource, "another process has been writing to it for too long",
              "Stop that process, or try again."};
    case SQLITE_FULL:
      return {Category::resource,
              "there is no room for more: the disk is full, or the store has reached its size limit",
              "Free some space or raise the limit; everything acknowledged so far is safe."};
    case SQLITE_READONLY:
      return {Category::resource, "it is open for reading only, or its folder cannot be written to",
              "Check the permissions of the file and of its folder (two more files lie beside it)."};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {Category::resource, "the file cannot be opened",
              "Check that its folder exists and that you may read and write there."};
    case SQLITE_IOERR:
      return {Category::resource, std::string("reading or writing failed: ") + sqlite3_errmsg(handle),
              "Check the disk."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Category::bad_data, std::string("it is damaged, or no feedback store (") + sqlite3_errmsg(handle) + ")",
              "Check the path; `sqlite3 FILE .recover` rescues what is left of a damaged store."};
    default:
      return {Category::failure, std::string("SQLite says: ") + sqlite3_errmsg(handle), ""};
  }
}

}  // namespace

void Database::fail(int code) const {
  const auto meaning = meaning_of(code, handle_.get());
  throw Error({.category = meaning.category, .where = path_.string(), .what = meaning.what, .fix = meaning.fix});
}

Statement::Statement(const Database& database, std::string_view sql) : database_(database) {
  sqlite3_stmt* made = nullptr;
  check(sqlite3_prepare_v2(database.handle_.get(), sql.data(), static_cast<int>(sql.size()), &made, nullptr));
  statement_.reset(made);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) database_.fail(code);
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
               : std::string();
}

Statement& Statement::bind(std::int64_t value) {
  return check(sqlite3_bind_int64(statement_.get(), ++bound_, value)), *this;
}
Statement& Statement::bind(double value) {
  return check(sqlite3_bind_double(statement_.get(), ++bound_, value)), *this;
}
Statement& Statement::bind(std::string_view value) {
  return check(sqlite3_bind_text64(statement_.get(), ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8)),
         *this;
}

Database::Database(const std::filesystem::path& path, bool read_only, std::chrono::milliseconds busy) : path_(path) {
  const int flags =
      (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_FULLMUTEX;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, static_cast<int>(busy.count()));
}

void Database::execute(const std::string& sql) const {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Database::transaction(const std::function<void()>& work) const {
  execute("BEGIN IMMEDIATE");  // takes the write lock now: what is read inside cannot change before the commit
  try {
    work();
    execute("COMMIT");
  } catch (...) {
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

}  // namespace rlhf::feedback::detail
