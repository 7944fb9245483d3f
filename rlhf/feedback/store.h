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
  double lease_until = 0.0;
};

using EventBody = std::variant<Question, Answer, Undo, ScalarSignal, Document, Redaction, Requeue>;

/// One entry of the log. Sequence numbers are the order in which entries became durable; they only grow.
struct Event {
  std::int64_t sequence = 0;
  std::string question;  // id of the question it is about; empty for a document or a redaction
  EventBody body;
  Annotator annotator;                       // of answers, undos and signals
  std::string guideline;                     // of answers: the version in force when it was given
  double asked_at = 0.0, answered_at = 0.0;  // seconds since 1970; otherwise both are when the entry was made
  std::int64_t revises = 0;                  // of answers: the earlier answer that it replaces; 0 = none
};

struct Counts {
  std::int64_t questions = 0;
  std::int64_t open = 0;     // still want answers
  std::int64_t leased = 0;   // with somebody now
  std::int64_t answers = 0;  // not taken back, skips not counted
  std::int64_t skips = 0;
  std::int64_t undone = 0;
};

enum class Standing { active, paused, revoked };

/// What the queue knows of an annotator. One who is not listed is active and has no quota.
struct AnnotatorRecord {
  std::string name;
  Source source = Source::human;
  Standing standing = Standing::active;
  std::int64_t quota = 0;           // answers allowed; 0 = any number
  std::vector<std::string> passed;  // qualification rounds passed
  nlohmann::json profile;           // anything else
};

struct LeaseOptions {
  std::chrono::duration<double> timeout{600};
  std::vector<std::string> forms;            // only questions of these forms; empty = all
  double gold_share = 0.0;                   // chance that a gold question is asked, where one is left; 0..1
  std::vector<std::string> required_rounds;  // until these are passed, only their questions are asked
};

/// Which entries an owner wants to see. Empty fields do not filter.
struct Search {
  std::string text;  // words in prompt, items, comments
  std::string annotator, form, question;
  bool flagged = false, skipped = false;
  std::int64_t before = 0;  // sequence number; 0 = from the newest
  std::int64_t limit = 50;
};

/// Which questions an owner wants to see, newest first.
struct QueueFilter {
  enum class State { any, open, leased, done, flagged, withdrawn };
  State state = State::any;
  std::string form;
  std::int64_t before = 0;  // sequence number; 0 = from the newest
  std::int64_t limit = 50;
};

struct QueueEntry {
  std::int64_t sequence = 0;  // of its publication
  Question question;
  std::int64_t wanted = 0, given = 0, leased = 0, flags = 0;
  double priority = 0.0;
  bool withdrawn = false;
};

struct StoreOptions {
  std::string project = "default";  // projects in one store see nothing of each other
  bool read_only = false;
  std::chrono::milliseconds busy{10000};  // how long to wait for another writer
  std::int64_t max_bytes = 0;             // SQLite: refuse to grow beyond; 0 = no limit
  std::function<double()> now = nullptr;  // seconds since 1970; for tests of time-outs; empty = the clock
};

/// True for postgresql://..., false for the path of a file.
bool is_postgres(std::string_view location);

/// Questions and feedback as an append-only log that several processes share: one SQLite file, or a PostgreSQL
/// database.
///
/// What `publish`, `answer`, `undo`, ... return has reached the disk (SQLite: write-ahead log, synchronous=FULL). One
/// Store may be used by several threads; commits that arrive together share one sync. Errors are rlhf::Error: resource
/// for a locked, full, read-only or unreachable store, bad_data for one that is damaged, is no store, or was written by
/// a newer version, check for what contradicts the log.
class Store {
 public:
  /// A path, or postgresql://... Creates the tables when there are none (unless read_only); an older store is migrated.
  static Store open(const std::string& location, const StoreOptions& options = {});
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Adds questions in one transaction and returns how many were new. Publishing an equal question again changes
  /// nothing; another question under the same id throws rlhf::Error (check).
  std::int64_t publish(const Question& question);
  std::int64_t publish(const std::vector<Question>& questions);

  /// A new version of a document; returns its sequence number. Publishing an equal one again changes nothing.
  std::int64_t publish(const Document& document);
  std::optional<Document> document(std::string_view kind, std::string_view name) const;  // the newest version
  std::vector<Document> documents(std::string_view kind) const;                          // the newest of each name

  /// The question to ask now: highest priority first, then the oldest, among those that still want an answer, are with
  /// nobody else, and were neither answered nor skipped by this annotator before. None for an annotator who is paused
  /// or has used up the quota.
  std::optional<Assignment> lease(const Annotator& annotator, const LeaseOptions& options);
  std::optional<Assignment> lease(const Annotator& annotator, std::chrono::duration<double> timeout);

  /// This question, if it still wants an answer of this annotator and nobody else holds its last place.
  std::optional<Assignment> lease_question(const Annotator& annotator, const std::string& question,
                                           std::chrono::duration<double> timeout);

  /// Leases that have not run out, oldest first; without those of withdrawn questions, whose answers are still taken.
  std::vector<Assignment> held(const Annotator& annotator) const;
  std::optional<Assignment> assignment(const std::string& id) const;  // also after its lease has run out

  /// Gives a lease more time, also one that has run out while nobody else took its place; false when it is gone.
  bool extend(const std::string& assignment, std::chrono::duration<double> timeout);

  /// Gives a lease back unanswered.
  void release(const Assignment& assignment);

  /// Gives back whatever this annotator still holds: for a program that starts again and knows it is the only one who
  /// answers under this name. A killed run's leases then hide no question from the resumed one.
  void release_all(const Annotator& annotator);

  /// Records an answer or a skip and returns its sequence number. Repeating it returns the same number. A lease that
  /// has run out is still good until somebody else has answered; then this throws rlhf::Error (check).
  std::int64_t answer(const Assignment& assignment, const Answer& answer);

  /// Replaces an earlier answer of this annotator by another one, in one step; returns the new sequence number.
  std::int64_t revise(const Annotator& annotator, std::int64_t earlier, const Answer& answer);

  /// Takes back an answer of this annotator: the question is open again. Repeating it returns the same number.
  std::int64_t undo(const Annotator& annotator, std::int64_t answer);

  /// Records a signal of a real-time session; the same number of the same session again changes nothing.
  std::int64_t signal(const Annotator& annotator, const ScalarSignal& signal);

  /// Changes priority or number of answers of a question, or withdraws it.
  std::int64_t requeue(const std::string& question, const Requeue& change);

  /// Up to `limit` events after sequence number `after`, in commit order.
  std::vector<Event> read(std::int64_t after, std::int64_t limit = 1000) const;

  /// Waits until there is an event after `after`; false when the time is over.
  bool wait(std::int64_t after, std::chrono::duration<double> timeout) const;

  std::vector<Event> search(const Search& wanted) const;  // answers, newest first
  std::vector<QueueEntry> queue(const QueueFilter& filter) const;
  std::optional<Question> question(const std::string& id) const;
  std::vector<Question> questions_of_round(std::string_view round) const;  // qualification: all of them, oldest first
  std::vector<Event> answers_to(const std::string& question) const;  // that stand, in commit order
  std::int64_t latest() const;                                       // the last sequence number; 0 = empty
  Counts counts() const;
  std::int64_t answered_by(std::string_view annotator) const;  // answers that stand, skips not counted
  std::int64_t answered_by(std::string_view annotator, double since) const;  // given since then, seconds since 1970

  std::vector<AnnotatorRecord> annotators() const;  // all that are listed or have answered
  void set(const AnnotatorRecord& record);

  /// Removes every answer, undo and signal of an annotator, rows and all, and leaves a Redaction; the questions are
  /// open again. Returns how many events went.
  std::int64_t erase(std::string_view annotator, const std::string& reason);

  /// A consistent copy of the live store (all projects); SQLite only, PostgreSQL has pg_dump.
  void backup(const std::filesystem::path& file) const;
  std::vector<std::string> projects() const;

  /// The path, or the location without its password: for messages.
  const std::string& location() const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rlhf::feedback
