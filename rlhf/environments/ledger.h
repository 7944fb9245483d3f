#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

struct LedgerConfig {
  std::int64_t lines = 12;

  void fields(Fields& f) { f.field("lines", lines, "additions on a page, 1 to 100"); }
  void validate() const;
};

/// A clerk writes the sums of twelve additions of two-digit numbers, character by character, units first.
///
///   observation  int64 [3]: sum of the column's digits (0 to 18), that of the column to its right (20: there is none;
///                for the hundreds, with what was carried into the tens), which character comes next (0 units, 1 tens,
///                2 hundreds)
///   action       the digit written
///   reward       1 with a line's last character if the line is right, 0 elsewhere: a page earns its right lines
class LedgerWorld {
 public:
  using Config = LedgerConfig;
  struct State {
    std::int64_t first = 0, second = 0;  // the numbers of the line
    std::int64_t written = 0;            // of this line so far, as a number
    std::int64_t place = 0, line = 0;    // next character, line
  };
  using Observed = std::int64_t;
  static constexpr bool discrete = true, chance = true;
  static constexpr std::int64_t places = 3;      // characters of a line
  static constexpr std::int64_t no_column = 20;  // to the right of the units; a column with a carry sums to 19 at most

  explicit LedgerWorld(const LedgerConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, std::int64_t* out) const;
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;

 private:
  LedgerConfig config_;
  Spec spec_;
};

extern template class Single<LedgerWorld>;
extern template class Batch<LedgerWorld>;

}  // namespace rlhf::environments
