#include "rlhf/feedback/detail/writer.h"

#include <algorithm>

namespace rlhf::feedback::detail {
namespace {
constexpr std::ptrdiff_t largest_group = 64;  // a few milliseconds of work: nobody waits longer for the others
}

void Writer::run(const Job& job) {
  Waiting mine{.job = &job};
  std::unique_lock lock(mutex_);
  line_.push_back(&mine);
  mine.ready.wait(lock, [&] { return mine.done || line_.front() == &mine; });
  if (!mine.done) {
    const auto end = line_.begin() + std::min<std::ptrdiff_t>(largest_group, std::ssize(line_));
    const std::deque<Waiting*> group(line_.begin(), end);
    lock.unlock();
    commit(group);
    lock.lock();
    line_.erase(line_.begin(), line_.begin() + std::ssize(group));
    for (auto* each : group) {
      each->done = true;
      each->ready.notify_one();
    }
    if (!line_.empty()) line_.front()->ready.notify_one();
  }
  lock.unlock();
  if (mine.error) std::rethrow_exception(mine.error);
}

void Writer::alone(const Job& work) {
  const std::lock_guard guard(connection_);
  work(*database_);
}

void Writer::commit_one(Waiting& waiting) {
  waiting.error = nullptr;
  try {
    database_->transaction([&] { (*waiting.job)(*database_); });
  } catch (...) {
    waiting.error = std::current_exception();
  }
}

void Writer::commit(const std::deque<Waiting*>& group) {
  const std::lock_guard guard(connection_);
  if (group.size() == 1) return commit_one(*group.front());
  try {
    database_->transaction([&] {
      for (auto* each : group) {
        each->error = nullptr;
        const auto before = database_->writes();
        try {
          (*each->job)(*database_);
        } catch (const Error& error) {
          // It found something wrong before it changed anything: the others need not know.
          if (error.category() != Category::check || database_->writes() != before) throw;
          each->error = std::current_exception();
        }
      }
    });
  } catch (const Unavailable&) {
    for (auto* each : group) each->error = std::current_exception();
  } catch (...) {
    for (auto* each : group) commit_one(*each);  // one of them is to blame; each learns its own fate
  }
}

}  // namespace rlhf::feedback::detail
