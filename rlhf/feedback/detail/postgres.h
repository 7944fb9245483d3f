#pragma once
#include <unordered_map>

#include "rlhf/feedback/detail/database.h"

struct pg_conn;
struct pg_result;

namespace rlhf::feedback::detail {

struct ClosePostgres {
  void operator()(pg_conn* connection) const;
};
struct ClearResult {
  void operator()(pg_result* result) const;
};

/// Statements without a result are sent without waiting for the answer (libpq's pipeline mode): a transaction costs a
/// round trip for each question it asks, not for each thing it writes.
class Postgres : public Database {
 public:
  Postgres(const std::string& location, const Access& access);

  void script(const std::string& sql) override;
  void transaction(const std::function<void()>& work) override;
  void wait(std::chrono::duration<double> timeout) override;
  void scrub() override;
  void copy_to(const std::filesystem::path& file) override;

 protected:
  Rows select(std::string_view sql, std::span<const Value> values) override;
  void change(std::string_view sql, std::span<const Value> values) override;

 private:
  using Result = std::unique_ptr<pg_result, ClearResult>;
  struct Lost : Unavailable {  // the connection broke; within a call it is opened again
    using Unavailable::Unavailable;
  };

  void open();
  void reopen();
  void send(std::string_view sql, std::span<const Value> values);
  Result receive();  // all answers outstanding; the last statement's result
  void attempt(const std::function<void()>& work, std::int64_t token, bool& committing);
  bool was_committed(std::int64_t token);
  void abandon();
  [[noreturn]] void fail(const pg_result* result) const;
  [[noreturn]] void lost() const;
  [[noreturn]] void unreachable() const;
  Error::Parts unreachable_parts() const;

  std::string conninfo_;
  Access access_;
  std::string writer_;      // names this connection's row in `commits`
  std::int64_t token_ = 0;  // of its last transaction
  bool in_transaction_ = false, listening_ = false;
  std::unique_ptr<pg_conn, ClosePostgres> connection_;
  std::unordered_map<std::string, std::string> statements_;  // SQL -> name on the server
  int names_ = 0;                                            // names given out; none is used twice on a connection
  int outstanding_ = 0;                                      // answers not read yet
};

}  // namespace rlhf::feedback::detail
