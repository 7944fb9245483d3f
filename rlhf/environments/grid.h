#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/environment.h"

namespace rlhf::environments {

struct GridConfig {
  std::int64_t columns = 8, rows = 5;
  std::int64_t max_steps = 100;

  void fields(Fields& f) {
    f.field("columns", columns, "cells from left to right, 3 to 20");
    f.field("rows", rows, "cells from bottom to top, 2 to 20");
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
  }
  void validate() const;
};

/// A dog walks over a lawn to its bowl: the grid on which COACH was studied (MacGlashan et al. 2017,
/// arXiv:1701.06049). The direct route along the bottom row lies full of puddles; the way round is dry.
///
///   observation  int64 [2]: column, row of the dog; (0, 0) is the bottom left cell
///   action       0 up, 1 right, 2 down, 3 left; a step against the fence changes nothing but where the dog looks
///   reward       5 at the bowl (the bottom right cell, where the episode ends), -1 in a puddle, 0 elsewhere
///   start        (0, 0); option "cell": [column, row] sets it
class Grid : public Environment {
 public:
  explicit Grid(const GridConfig& config = {});

  const Spec& spec() const override { return spec_; }
  using Environment::reset;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override;
  Step step(const Action& action) override;
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  Image render(int width, int height) const override;

 private:
  struct Moment {
    std::int64_t column = 0, row = 0;
    std::int64_t facing = 1;  // the last action
    std::int64_t steps = 0;
    std::int64_t running = 0;  // 1 between a reset and the end of the episode
  };
  bool inside(std::int64_t column, std::int64_t row) const;
  Array observation() const { return std::vector<std::int64_t>{now_.column, now_.row}; }

  GridConfig config_;
  Spec spec_;
  Moment now_;
};

}  // namespace rlhf::environments
