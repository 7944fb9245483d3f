#include "rlhf/serving/detail/workers.h"

#include <algorithm>

namespace rlhf::serving::detail {

Workers::Workers(int threads, int waiting) : most_threads_(std::max(threads, 1)), most_waiting_(std::max(waiting, 0)) {}

bool Workers::run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (finishing_) return false;
  if (queue_.size() >= idle_) {  // every idle thread already has something to pick up
    if (threads_.size() < most_threads_)
      threads_.emplace_back([this] { loop(); });
    else if (queue_.size() >= idle_ + most_waiting_)
      return false;
  }
  queue_.push_back(std::move(work));
  ready_.notify_one();
  return true;
}

void Workers::finish() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    threads.swap(threads_);
    ready_.notify_all();
  }
  for (auto& thread : threads) thread.join();
}

void Workers::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    ready_.wait(lock, [this] { return finishing_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // what it holds is released before the next wait
    lock.lock();
  }
}

}  // namespace rlhf::serving::detail
