#pragma once
#include <condition_variable>
#include <mutex>

#include "rlhf/core/clock.h"
#include "rlhf/feedback/detail/log.h"
#include "rlhf/feedback/detail/queue.h"
#include "rlhf/feedback/detail/readers.h"
#include "rlhf/feedback/detail/writer.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

struct Store::State {
  std::string location;
  StoreOptions options;
  std::int64_t project;
  detail::Writer writer;
  detail::Readers readers;
  std::unique_ptr<detail::Database> follower;  // the connection that is told of commits
  std::mutex mutex = {};                       // of the two below
  std::condition_variable news = {};
  bool somebody_listens = false;

  /// While it lives, this thread is the one that listens. Gives the lock back meanwhile.
  class Listening {
   public:
    Listening(State& state, std::unique_lock<std::mutex>& lock) : state_(state), lock_(lock) {
      state_.somebody_listens = true;
      lock_.unlock();
    }
    Listening(const Listening&) = delete;
    ~Listening() {
      lock_.lock();
      state_.somebody_listens = false;
      state_.news.notify_all();
    }

   private:
    State& state_;
    std::unique_lock<std::mutex>& lock_;
  };

  double now() const { return options.now ? options.now() : wall_seconds(); }

  /// One job on the queue of this project, in one transaction; see Writer::run.
  template <class Work>
  void change(Work&& work) {
    writer.run([&](detail::Database& database) {
      detail::Queue queue(database, project);
      work(database, queue);
      queue.close();
    });
  }

  [[noreturn]] void contradiction(std::string what, std::string fix = "") const {
    throw Error({.category = Category::check, .where = location, .what = std::move(what), .fix = std::move(fix)});
  }
};

}  // namespace rlhf::feedback
