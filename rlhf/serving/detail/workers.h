#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rlhf::serving::detail {

/// Threads for work that may wait. They are made as they are needed and end with this object, after the work that was
/// taken on.
class Workers {
 public:
  Workers(int threads, int waiting);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { finish(); }

  /// False when every thread is busy and the queue is full, or `finish` was called: `work` was not taken.
  bool run(std::function<void()> work);

  /// Takes nothing new and returns when all is done.
  void finish();

 private:
  void loop();

  const std::size_t most_threads_, most_waiting_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool finishing_ = false;
};

}  // namespace rlhf::serving::detail
