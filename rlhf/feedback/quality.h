#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlhf/feedback/statistics/habits.h"
#include "rlhf/feedback/statistics/krippendorff.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

struct QualityOptions {
  statistics::PositionLimits place;
  statistics::GoldLimits gold;
  int resamples = 200;          // behind each interval
  double too_fast_share = 0.1;  // of answers that nobody could have read for; above it there is a warning
};

/// Agreement on one axis of a rating (as numbers) or on one rule or claim (as categories).
struct AspectAgreement {
  std::string form, part, name;
  statistics::Level level = statistics::Level::interval;
  std::optional<statistics::Estimate> alpha;
};

/// Two annotators who answered the same questions.
struct PairAgreement {
  std::string a, b;
  double kappa = 0.0;
  std::int64_t n = 0;
};

/// How far the answers to the same questions agree. A value is missing where it cannot be said. Choices (comparisons, and
/// the best item of rankings) are categories: an item, a tie, both bad; "cannot compare" and skips do not count, nor do
/// qualification rounds. People agree with people here; models and simulated labelers have a line of their own.
struct AgreementReport {
  std::optional<statistics::Estimate> raw, fleiss, krippendorff;
  std::optional<statistics::Estimate> strength;  // alpha of how much better, tie = 0, ordinal
  std::optional<statistics::Estimate> kendall;   // mean tau-b of rankings
  std::vector<PairAgreement> cohen;              // most common questions first
  std::vector<AspectAgreement> aspects;
  std::optional<statistics::Estimate> with_gold;          // share of right answers to test questions
  std::optional<statistics::Estimate> with_model;         // share of pairs (person, model judge) that agree
  std::optional<statistics::Estimate> with_reward_model;  // share of choices that a reward model would make too
  std::optional<double> noise;                            // 1 - with_gold: what a loss may assume to be wrong
  struct At {
    double at = 0.0;  // begin of the span, seconds since 1970
    double raw = 0.0;
    std::int64_t n = 0;
  };
  std::vector<At> over_time;
};

struct AnnotatorReport {
  AnnotatorRecord record;
  std::int64_t answers = 0, skips = 0;
  double last_at = 0.0;
  std::optional<double> median_seconds;              // active time of an answer
  std::optional<statistics::Estimate> agreement;     // with each other person on the same question
  std::optional<statistics::Estimate> gold_accuracy; // on test questions
  statistics::GoldVerdict gold_verdict = statistics::GoldVerdict::good;  // of the last 50 of them
  std::optional<double> reliability;                 // Dawid-Skene: chance to say what is probably true
  std::optional<double> slope, side;                 // Bradley-Terry: see statistics/reliability.h
  std::optional<statistics::Estimate> left_share;    // of picks in pairs, by the order shown
  std::optional<statistics::Estimate> longer_share;  // of picks in pairs, by length of the text
  std::optional<statistics::Estimate> consistency;   // equal answers to a question that came back
  std::optional<statistics::Estimate> too_fast;      // share of answers that nobody could have read for
  std::vector<statistics::Fatigue> fatigue;
  std::vector<std::string> warnings;
};

/// A question people answered differently.
struct Disagreement {
  std::string question;
  double split = 0.0;  // entropy of the choices in bits
  std::int64_t answers = 0;
};

nlohmann::json to_json(const AgreementReport& report);
nlohmann::json to_json(const AnnotatorReport& report);

/// Follows the events of a store and says what the answers tell about those who gave them. `feed` takes constant time
/// and keeps some hundred bytes of a question; the reports go over all that stands and are kept until something new comes.
/// One thread at a time.
class Quality {
 public:
  explicit Quality(QualityOptions options = {});
  Quality(Quality&&) noexcept;
  Quality& operator=(Quality&&) noexcept;
  ~Quality();

  /// Events in the order of their sequence numbers; one that was seen before is passed over.
  void feed(const Event& event);
  std::int64_t cursor() const;  // sequence number of the last event

  /// True after an annotator was erased whose answers this still holds: a fresh one has to read the log again.
  bool stale() const;

  /// What a reward model says about the items of a question, in the order made; the newest counts.
  void scores(const std::string& question, std::span<const double> scores);

  const AgreementReport& agreement() const;

  /// Those listed, then all others who answered, by name.
  std::vector<AnnotatorReport> annotators(std::span<const AnnotatorRecord> listed = {}) const;

  /// The most evenly split first, then those with most answers.
  std::vector<Disagreement> disagreements(std::size_t limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads what is new in the store; begins anew when the follower went stale.
void follow(Quality& quality, const Store& store, const QualityOptions& options = {});

}  // namespace rlhf::feedback
