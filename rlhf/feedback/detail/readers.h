#pragma once
#include <condition_variable>
#include <mutex>

#include "rlhf/feedback/detail/database.h"

namespace rlhf::feedback::detail {

/// Connections for reading: readers wait neither for the writer nor, up to `most` of them, for each other.
class Readers {
 public:
  Readers(std::string location, Access access) : location_(std::move(location)), access_(access) {}

  template <class Work>
  auto run(Work&& work) {
    const Lent lent{*this, take()};
    return work(*lent.database);
  }

 private:
  static constexpr int most = 8;
  struct Lent {
    Readers& owner;
    std::unique_ptr<Database> database;
    Lent(Readers& from, std::unique_ptr<Database> taken) : owner(from), database(std::move(taken)) {}
    Lent(const Lent&) = delete;
    ~Lent() { owner.give(std::move(database)); }
  };

  std::unique_ptr<Database> take();
  void give(std::unique_ptr<Database> database);

  std::string location_;
  Access access_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Database>> idle_;
  int lent_ = 0;
};

}  // namespace rlhf::feedback::detail
