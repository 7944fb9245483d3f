#pragma once
#include <unordered_map>

#include "rlhf/feedback/detail/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rlhf::feedback::detail {

struct CloseSqlite {
  void operator()(sqlite3* handle) const;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};

class Sqlite : public Database {
 public:
  Sqlite(const std::string& path, const Access& access);

  void script(const std::string& sql) override;
  void transaction(const std::function<void()>& work) override;
  void wait(std::chrono::duration<double> timeout) override;
  void scrub() override;
  void copy_to(const std::filesystem::path& file) override;

 protected:
  Rows select(std::string_view sql, std::span<const Value> values) override;
  void change(std::string_view sql, std::span<const Value> values) override;

 private:
  static int wait_for_writer(void* self, int tries);
  sqlite3_stmt* prepared(std::string_view sql);
  bool step(sqlite3_stmt* statement);
  void begin();
  [[noreturn]] void fail(int code) const;

  std::chrono::milliseconds busy_;
  std::chrono::steady_clock::time_point busy_since_;
  std::unique_ptr<sqlite3, CloseSqlite> handle_;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, FinalizeStatement>> statements_;
  std::int64_t seen_version_ = 0;  // of the data, when wait() returned
};

}  // namespace rlhf::feedback::detail
