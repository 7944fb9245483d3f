#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rlhf/feedback/kinds.h"

namespace rlhf::feedback {

/// The right and the duty to answer one question for a while.
struct Assignment {
  std::string id;  // answering twice with the same id is answering once
  Question question;
  Annotator annotator;
  double leased_at = 0.0;  // seconds since 1970
};

/// One entry of the log. Sequence numbers are the order in which entries became durable; they only grow.
struct Event {
  std::int64_t sequence = 0;
  std::string question;                      // id of the question it is about
  std::variant<Question, Feedback> body;     // the question published, or what was said about it
  Annotator annotator;                       // of feedback
  std::string guideline;                     // of feedback: the version in force when it was given
  double asked_at = 0.0, answered_at = 0.0;  // seconds since 1970; for a question both are when it was published
};

struct Counts {
  std::int64_t questions = 0;
  std::int64_t open = 0;     // still want answers
  std::int64_t leased = 0;   // with somebody now
  std::int64_t answers = 0;  // not taken back, skips not counted
  std::int64_t skips = 0;
  std::int64_t undone = 0;
};

struct StoreOptions {
  bool read_only = false;
  std::chrono::milliseconds busy{10000};  // how long to wait for another writer
  std::int64_t max_bytes = 0;             // refuse to grow beyond; 0 = no limit
  std::function<double()> now = nullptr;  // seconds since 1970; for tests of time-outs; empty = the clock
};

/// Questions and feedback in one SQLite file: an append-only log that several processes share.
///
/// What `publish`, `answer` and `undo` return has reached the disk (write-ahead log, synchronous=FULL). One Store may
/// be used by several threads. Errors are rlhf::Error: resource for a locked, full or read-only store, bad_data for a
/// file that is damaged, is no store, or was written by a newer version.
class Store {
 public:
  /// Creates the file when there is none (unless read_only).
  static Store open(const std::filesystem::path& path, const StoreOptions& options = {});
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Adds questions in one transaction and returns how many were new. Publishing an equal question again changes
  /// nothing; another question under the same id throws rlhf::Error (check).
  std::int64_t publish(const Question& question);
  std::int64_t publish(const std::vector<Question>& questions);

  /// The oldest question that still wants an answer, is with nobody else and was not answered by this annotator before.
  std::optional<Assignment> lease(const Annotator& annotator, std::chrono::duration<double> timeout);

  /// Gives a lease back unanswered.
  void release(const Assignment& assignment);

  /// Gives back whatever this annotator still holds: for a program that starts again and knows it is the only one who
  /// answers under this name. A killed run's leases then hide no question from the resumed one.
  void release_all(const Annotator& annotator);

  /// Records a Comparison, Rating or Skip and returns its sequence number. Repeating it returns the same number. A
  /// lease that has run out is still good until somebody else has answered; then this throws rlhf::Error (check).
  std::int64_t answer(const Assignment& assignment, const Feedback& feedback);

  /// Takes back an answer of this annotator: the question is open again. Repeating it returns the same number.
  std::int64_t undo(const Annotator& annotator, std::int64_t answer);

  /// Up to `limit` events after sequence number `after`, in commit order.
  std::vector<Event> read(std::int64_t after, std::int64_t limit = 1000) const;

  /// Waits until there is an event after `after`; false when the time is over.
  bool wait(std::int64_t after, std::chrono::duration<double> timeout) const;

  std::optional<Question> question(const std::string& id) const;
  std::int64_t latest() const;  // the last sequence number; 0 = empty
  Counts counts() const;
  const std::filesystem::path& path() const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rlhf::feedback
