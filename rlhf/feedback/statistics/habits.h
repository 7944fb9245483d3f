#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "rlhf/feedback/statistics/estimate.h"

namespace rlhf::feedback::statistics {

/// Counts yes and no, and remembers the last few.
class Tally {
 public:
  explicit Tally(std::size_t window = 50) : window_(window) {}
  void add(bool yes);

  std::int64_t count() const { return count_; }
  std::optional<Estimate> share() const { return wilson(yes_, count_); }  // of all
  std::optional<Estimate> recent() const;                                // of the last `window`; nothing before it is full
  std::int64_t yes() const { return yes_; }

 private:
  std::size_t window_;
  std::int64_t count_ = 0, yes_ = 0;
  std::deque<bool> last_;
};

/// How probable it is that a fair coin falls as unevenly as `yes` of `count`, or more so: exact, two-sided.
double fair_coin(std::int64_t yes, std::int64_t count);

struct PositionLimits {
  double low = 0.3, high = 0.7;  // share of left picks in a full window that is still plausible
  double chance = 1e-5;          // less likely than this by a fair coin is a habit, from the first answers on
};

/// Does somebody pick by place instead of content? Items are shown in random order, so that half of the picks are left ones
/// whatever the items are. True when the last 50 are outside the limits and the odds of that are below 0.5 %, or when all
/// together could hardly be chance: an annotator who always takes the left one is found after 18 answers.
bool picks_by_place(const Tally& left, const PositionLimits& limits = {});

/// What the accuracy on questions with a known answer means for somebody's work. The window is the last 50 of them.
enum class GoldVerdict { good, warn, pause, revoke };

struct GoldLimits {
  double warn = 0.8, pause = 0.7, revoke = 0.5;  // accuracy below which ...
  std::int64_t least = 10;                       // nothing is said before that many test questions
};

GoldVerdict judge_gold(const Tally& right, const GoldLimits& limits = {});

/// One answer in time, in the order given.
struct Timed {
  double at = 0.0;              // seconds since 1970
  double active_seconds = 0.0;  // 0 = not measured
  std::optional<bool> right;    // whether a known answer was met, or the others agreed
};

/// Work after so many minutes at a stretch.
struct Fatigue {
  double minutes = 0.0;                // begin of the bucket
  std::optional<double> seconds;       // median active time of an answer
  std::optional<Estimate> right;       // share of right ones
  std::int64_t answers = 0;
};

/// The curve of a working session, all sessions laid over each other. A pause of half an hour begins a new one.
std::vector<Fatigue> fatigue_curve(std::span<const Timed> answers, double bucket_minutes = 15.0,
                                   double pause_minutes = 30.0);

/// Of any values; nothing of none. Changes their order.
std::optional<double> median(std::vector<double>& values);

/// The least time in which a text can be looked at: nobody skims more than 30 words in a second.
double plausible_seconds(std::int64_t words);

struct Cost {
  double hours = 0.0;  // of people
  double money = 0.0;  // 0 when no pay was given
};

/// What it takes to judge `items` questions `judgements` times, `seconds` each.
Cost cost_estimate(std::int64_t items, double judgements, double seconds, double pay_per_hour = 0.0);

}  // namespace rlhf::feedback::statistics
