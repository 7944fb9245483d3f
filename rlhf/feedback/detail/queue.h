#pragma once
#include <map>
#include <tuple>

#include "rlhf/feedback/detail/database.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback::detail {

/// A question's state in the queue.
struct Queued {
  std::int64_t sequence = 0;  // of its publication
  std::string id;
  std::int64_t lane = 0;
  double rank = 0.0;       // minus the priority: smaller comes first
  std::int64_t place = 0;  // in line among equal ranks; a question that is asked anew gets a new one
  std::int64_t wanted = 1, given = 0, leased = 0, flags = 0;
  bool withdrawn = false;

  bool open() const { return !withdrawn && given < wanted; }
  bool waiting() const { return !withdrawn && given + leased < wanted; }
};

struct Lane {
  std::string reserved_for, round, form;
  bool gold = false;
  auto operator<=>(const Lane&) const = default;
};

/// The queue of one project, inside one transaction. `close` writes what changed in the counters.
class Queue {
 public:
  Queue(Database& database, std::int64_t project) : database_(database), project_(project) {}

  std::optional<Queued> find(std::string_view id);
  Queued at(std::int64_t sequence);
  void add(const Question& question, std::int64_t sequence);
  void save(const Queued& before, const Queued& after);
  std::int64_t move_to_end(std::int64_t sequence);  // a new place in line

  /// The first question of a lane that waits and that the annotator is not past.
  std::optional<Queued> first(std::int64_t lane, std::string_view annotator);

  void mark_seen(std::string_view annotator, std::int64_t place);
  void unmark_seen(std::string_view annotator, std::int64_t place);

  /// Ends leases whose time is over.
  void expire(double now);
  void release(std::string_view assignment);

  Counts tally;  // changes to the counters
  void close();

 private:
  std::int64_t lane_of(const Question& question);
  std::int64_t new_place();

  Database& database_;
  std::int64_t project_;
  std::map<Lane, std::int64_t> lanes_;
  std::int64_t next_place_ = 0, places_ = 0;
};

}  // namespace rlhf::feedback::detail
