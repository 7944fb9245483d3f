#pragma once
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rlhf/core/error.h"

namespace rlhf::feedback::detail {

/// A value given to a statement; one `?` each. Text is only read while the call lasts.
using Value = std::variant<std::int64_t, double, std::string_view>;

template <class T>
Value value_of(const T& value) {
  if constexpr (std::integral<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::floating_point<T>) {
    return static_cast<double>(value);
  } else {
    return std::string_view(value);
  }
}

/// One row of a result. Columns count from 0.
class Row {
 public:
  using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
  explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}

  std::int64_t integer(std::size_t column) const;  // 0 for NULL
  double real(std::size_t column) const;
  const std::string& text(std::size_t column) const;  // empty for NULL
  bool is_null(std::size_t column) const { return cells_[column].index() == 0; }

 private:
  std::vector<Cell> cells_;
};

using Rows = std::vector<Row>;

/// The store cannot be written to now: somebody else holds it, or its server is gone. Trying again at once is no use.
class Unavailable : public Error {
  using Error::Error;
};

/// One connection to SQLite or PostgreSQL, for one thread at a time. Both understand the statements of the store: `?`
/// for values, ON CONFLICT, RETURNING, WITH RECURSIVE. Every failure is an rlhf::Error that says what to do about it.
class Database {
 public:
  virtual ~Database() = default;

  template <class... Values>
  Rows query(std::string_view sql, const Values&... values) {
    const std::array<Value, sizeof...(Values)> bound{value_of(values)...};
    return select(sql, bound);
  }

  template <class... Values>
  std::optional<Row> row(std::string_view sql, const Values&... values) {
    auto rows = query(sql, values...);
    return rows.empty() ? std::nullopt : std::optional<Row>(std::move(rows.front()));
  }

  /// The first column of the first row.
  template <class... Values>
  std::optional<std::int64_t> number(std::string_view sql, const Values&... values) {
    const auto found = row(sql, values...);
    return !found || found->is_null(0) ? std::nullopt : std::optional(found->integer(0));
  }

  /// A statement whose result does not matter. Inside a transaction its failure may be reported by a later call.
  template <class... Values>
  void run(std::string_view sql, const Values&... values) {
    const std::array<Value, sizeof...(Values)> bound{value_of(values)...};
    ++writes_;
    change(sql, bound);
  }

  /// Several statements without values.
  virtual void script(const std::string& sql) = 0;

  /// All of `work` or nothing of it, alone among the writers of the store, durable on return. `work` may be called
  /// again when the server went away in the middle; it runs to its end in one transaction exactly once.
  virtual void transaction(const std::function<void()>& work) = 0;

  /// Returns when another connection may have committed something since the last call, or when the time is over.
  virtual void wait(std::chrono::duration<double> timeout) = 0;

  /// Makes deleted rows unreadable: also for those who open the files with other means.
  virtual void scrub() = 0;
  virtual void copy_to(const std::filesystem::path& file) = 0;

  std::int64_t writes() const { return writes_; }  // calls of run() so far
  const std::string& location() const { return location_; }

 protected:
  explicit Database(std::string location) : location_(std::move(location)) {}
  virtual Rows select(std::string_view sql, std::span<const Value> values) = 0;
  virtual void change(std::string_view sql, std::span<const Value> values) = 0;

 private:
  std::string location_;  // for messages: without a password
  std::int64_t writes_ = 0;
};

struct Access {
  bool read_only = false;
  std::chrono::milliseconds busy{10000};
};

bool is_postgres(std::string_view location);
std::unique_ptr<Database> connect(const std::string& location, const Access& access);

}  // namespace rlhf::feedback::detail
