#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace rlhf::feedback::detail {

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};

class Database;

/// A prepared statement with its values bound. Rows are read by column, counted from 0.
class Statement {
 public:
  bool step();  // true while there is a row
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);

 private:
  friend class Database;
  Statement(const Database& database, std::string_view sql);
  void check(int code) const;

  const Database& database_;
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
  int bound_ = 0;
};

/// One connection. Every failure is an rlhf::Error that says what to do about it.
class Database {
 public:
  Database(const std::filesystem::path& path, bool read_only, std::chrono::milliseconds busy);

  void execute(const std::string& sql) const;

  template <class... Values>
  Statement query(std::string_view sql, const Values&... values) const {
    Statement statement(*this, sql);
    (statement.bind(values), ...);
    return statement;
  }

  /// Runs a statement that returns nothing; gives the number of rows it changed.
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) const {
    query(sql, values...).step();
    return changes();
  }

  /// The first column of the first row.
  template <class... Values>
  std::optional<std::int64_t> number(std::string_view sql, const Values&... values) const {
    auto statement = query(sql, values...);
    if (!statement.step() || statement.is_null(0)) return std::nullopt;
    return statement.integer(0);
  }

  /// All of `work` or nothing of it; durable when it returns.
  void transaction(const std::function<void()>& work) const;

  std::int64_t last_row() const;
  std::int64_t changes() const;
  const std::filesystem::path& path() const { return path_; }

  [[noreturn]] void fail(int code) const;

 private:
  friend class Statement;
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, CloseDatabase> handle_;
};

}  // namespace rlhf::feedback::detail
