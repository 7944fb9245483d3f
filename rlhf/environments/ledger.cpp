#include "rlhf/environments/ledger.h"

#include <array>

#include "rlhf/core/error.h"
#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

std::int64_t column_sum(const LedgerWorld::State& state, std::int64_t place) {
  if (place == 0) return state.first % 10 + state.second % 10;
  return place == 1 ? state.first / 10 + state.second / 10 : 0;
}

void new_line(LedgerWorld::State& state, Random& random) {
  state.first = 10 + random.below(90);
  state.second = 10 + random.below(90);
  state.written = state.place = 0;
}

}  // namespace

void LedgerConfig::validate() const {
  if (lines >= 1 && lines <= 100) return;
  throw Error({.category = Category::usage, .where = "lines", .what = "out of range", .fix = "Give 1 to 100."});
}

LedgerWorld::LedgerWorld(const LedgerConfig& config)
    : config_(config),
      spec_{.name = "ledger",
            .observation = Box{.dtype = Dtype::int64, .shape = {3}, .low = {0}, .high = {18, 20, places - 1}},
            .action = Discrete{{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
            .max_steps = config.lines * places + 1,  // never reached: the page is full before
            .step_seconds = 1.0,
            .can = {.state = true, .render = true},
            .settings = rlhf::to_json(config)} {
  config.validate();
}

LedgerWorld::State LedgerWorld::start(Random& random) const {
  State state;
  new_line(state, random);
  return state;
}

LedgerWorld::State LedgerWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"first", "second"});
  return {.first = static_cast<std::int64_t>(numbers[0]), .second = static_cast<std::int64_t>(numbers[1])};
}

Outcome LedgerWorld::advance(State& state, std::int64_t action, Random& random) const {
  static constexpr std::array<std::int64_t, places> worth = {1, 10, 100};
  state.written += action * worth[static_cast<std::size_t>(state.place)];
  if (++state.place < places) return {};
  const double reward = state.written == state.first + state.second ? 1.0 : 0.0;
  new_line(state, random);
  ++state.line;
  return {.reward = reward, .terminated = state.line == config_.lines};
}

void LedgerWorld::observe(const State& state, std::int64_t* out) const {
  out[0] = column_sum(state, state.place);
  out[1] = state.place == 0 ? no_column : column_sum(state, state.place - 1);
  if (state.place == 2) out[1] = column_sum(state, 1) + (column_sum(state, 0) >= 10 ? 1 : 0);
  out[2] = state.place;
}

bool LedgerWorld::possible(const State& state) const {
  return state.first >= 10 && state.first < 100 && state.second >= 10 && state.second < 100 && state.place >= 0 &&
         state.place < places && state.line >= 0 && state.line <= config_.lines;
}

/// The page with a stroke for each line that is written, and a short one for the line at hand.
Image LedgerWorld::draw(const State& state, int width, int height) const {
  const auto lines = static_cast<double>(config_.lines);
  Canvas canvas(width, height, {.right = lines, .top = lines}, rgb(0xf4f1ea));
  canvas.box({lines / 2, lines / 2}, 0.9 * lines, 0.96 * lines, 0.2, rgb(0xffffff));
  for (std::int64_t line = 0; line <= state.line && line < config_.lines; ++line) {
    const double y = lines - 0.5 - static_cast<double>(line);
    const double share = line < state.line ? 1.0 : static_cast<double>(state.place) / places;
    if (share > 0) canvas.line({0.15 * lines, y}, {(0.15 + 0.7 * share) * lines, y}, 0.2, rgb(0x3d3a35));
  }
  return canvas.take();
}

template class Single<LedgerWorld>;
template class Batch<LedgerWorld>;

}  // namespace rlhf::environments
