#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>

#include "rlhf/feedback/detail/database.h"

namespace rlhf::feedback::detail {

/// Runs jobs of many threads on one connection. Those that arrive while a commit is on its way share the next one: the
/// disk is waited for once a group. The thread at the head of the line does the work of all behind it.
class Writer {
 public:
  using Job = std::function<void(Database&)>;
  explicit Writer(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  /// Durable on return; throws what the job threw, and then nothing of it was done. A job may be called several times.
  void run(const Job& job);

  /// For what is not a transaction; waits for its turn.
  void alone(const Job& work);

 private:
  struct Waiting {
    const Job* job;
    std::exception_ptr error = nullptr;
    bool done = false;
    std::condition_variable ready = {};
  };
  void commit(const std::deque<Waiting*>& group);
  void commit_one(Waiting& waiting);

  std::unique_ptr<Database> database_;
  std::mutex mutex_;       // of the line
  std::mutex connection_;  // held while the database is used
  std::deque<Waiting*> line_;
};

}  // namespace rlhf::feedback::detail
