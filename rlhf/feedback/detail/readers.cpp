#include "rlhf/feedback/detail/readers.h"

namespace rlhf::feedback::detail {

std::unique_ptr<Database> Readers::take() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return lent_ < most; });
  ++lent_;
  if (!idle_.empty()) {
    auto database = std::move(idle_.back());
    idle_.pop_back();
    return database;
  }
  lock.unlock();
  try {
    return connect(location_, access_);
  } catch (...) {
    give(nullptr);
    throw;
  }
}

void Readers::give(std::unique_ptr<Database> database) {
  const std::lock_guard guard(mutex_);
  --lent_;
  if (database) idle_.push_back(std::move(database));
  free_.notify_one();
}

}  // namespace rlhf::feedback::detail
