#include "rlhf/environments/cliff_walking.h"

#include <algorithm>
#include <array>

#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t columns = 12, rows = 4, start_cell = 36, goal_cell = 47;
constexpr std::array<std::array<std::int64_t, 2>, 4> moves = {{{0, -1}, {1, 0}, {0, 1}, {-1, 0}}};  // column, row

bool is_cliff(std::int64_t cell) { return cell > start_cell && cell < goal_cell; }

Spec spec_of(const CliffWalkingConfig& config) {
  return {.name = "cliff_walking",
          .observation = Box{.dtype = Dtype::int64, .shape = {1}, .low = {0}, .high = {columns * rows - 1}},
          .action = Discrete{{"up", "right", "down", "left"}},
          .max_steps = config.max_steps,
          .step_seconds = 0.5,
          .can = {.state = true, .render = true, .text = true},
          .settings = rlhf::to_json(config)};
}

Transition moved(std::int64_t cell, std::int64_t action, double chance) {
  const auto& move = moves[static_cast<std::size_t>(action)];
  const auto column = std::clamp<std::int64_t>(cell % columns + move[0], 0, columns - 1);
  const auto row = std::clamp<std::int64_t>(cell / columns + move[1], 0, rows - 1);
  const auto next = row * columns + column;
  if (is_cliff(next)) return {chance, start_cell, -100.0, false};
  return {chance, next, -1.0, next == goal_cell};
}

TransitionTable table_of(const CliffWalkingConfig& config) {
  TransitionTable table(4);
  for (std::int64_t cell = 0; cell < columns * rows; ++cell)
    for (std::int64_t action = 0; action < 4; ++action) {
      std::vector<Transition> outcomes;
      if (!config.slippery)
        outcomes = {moved(cell, action, 1.0)};
      else
        for (const auto turn : {3, 0, 1}) outcomes.push_back(moved(cell, (action + turn) % 4, 1.0 / 3));
      table.add(outcomes);
    }
  return table;
}

}  // namespace

void CliffWalkingConfig::validate() const { require_limit(max_steps); }

CliffWalkingWorld::CliffWalkingWorld(const CliffWalkingConfig& config)
    : spec_(spec_of(config)), table_(table_of(config)) {
  config.validate();
}

CliffWalkingState CliffWalkingWorld::start(Random&) const { return {}; }

CliffWalkingState CliffWalkingWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"cell"});
  const CliffWalkingState state{.cell = static_cast<std::int64_t>(numbers[0])};
  if (!possible(state))
    throw Error({.category = Category::usage,
                 .where = "environment cliff_walking",
                 .what = "nobody can stand at the cell that the option 'state' of reset gives",
                 .fix = "Give 0 to 47, but for the cliff, 37 to 46."});
  return state;
}

Outcome CliffWalkingWorld::advance(State& state, std::int64_t action, Random& random) const {
  const auto& outcome = table_.drawn(state.cell, action, random.uniform());
  state.cell = outcome.next;
  state.facing = action;
  return {.reward = outcome.reward, .terminated = outcome.terminated};
}

bool CliffWalkingWorld::possible(const State& state) const {
  return state.cell >= 0 && state.cell < columns * rows && !is_cliff(state.cell) && state.facing >= 0 &&
         state.facing < 4;
}

std::string CliffWalkingWorld::text(const State& state) const {
  std::string lines;
  for (std::int64_t cell = 0; cell < columns * rows; ++cell) {
    lines += cell == state.cell   ? '@'
             : is_cliff(cell)     ? 'C'
             : cell == start_cell ? 'S'
             : cell == goal_cell  ? 'G'
                                  : '.';
    if ((cell + 1) % columns == 0) lines += '\n';
  }
  return lines;
}

Image CliffWalkingWorld::draw(const State& state, int width, int height) const {
  constexpr double margin = 0.2;
  Canvas canvas(width, height, {.left = -margin, .bottom = -margin, .right = columns + margin, .top = rows + margin},
                rgb(0xF6F7F9));
  const auto center = [](std::int64_t cell) {
    return Point{static_cast<double>(cell % columns) + 0.5, rows - 0.5 - static_cast<double>(cell / columns)};
  };
  for (std::int64_t cell = 0; cell < columns * rows; ++cell) {
    const auto c = center(cell);
    if (is_cliff(cell)) {
      canvas.box(c, 1.0, 1.0, 0.02, rgb(0x4A4E5C));
      canvas.line({c.x - 0.35, c.y + 0.38}, {c.x - 0.2, c.y - 0.3}, 0.07, rgb(0x2F323D));
      canvas.line({c.x + 0.15, c.y + 0.4}, {c.x + 0.3, c.y - 0.2}, 0.07, rgb(0x2F323D));
    } else {
      canvas.box(c, 1.0, 1.0, 0.04, (cell + cell / columns) % 2 == 0 ? rgb(0xDCE8CF) : rgb(0xD4E2C5));
    }
  }
  const auto goal = center(goal_cell);
  canvas.line({goal.x - 0.14, goal.y - 0.32}, {goal.x - 0.14, goal.y + 0.34}, 0.05, rgb(0x3A3F4B));
  const std::array<Point, 3> flag = {
      {{goal.x - 0.12, goal.y + 0.04}, {goal.x + 0.28, goal.y + 0.2}, {goal.x - 0.12, goal.y + 0.36}}};
  canvas.polygon(flag, rgb(0xC4574E));
  const auto here = center(state.cell);
  canvas.glow({here.x, here.y - 0.2}, 0.6, 0.3, rgb(0x40513A, 0.35));
  canvas.disc({here.x, here.y - 0.08}, 0.2, rgb(0x3D6FB4));
  canvas.disc({here.x, here.y + 0.16}, 0.13, rgb(0xF0CFA5));
  const auto& look = moves[static_cast<std::size_t>(state.facing)];
  canvas.disc({here.x + 0.08 * static_cast<double>(look[0]), here.y + 0.16 - 0.08 * static_cast<double>(look[1])},
              0.035, rgb(0x33271C));
  return canvas.take();
}

template class Single<CliffWalkingWorld>;
template class Batch<CliffWalkingWorld>;

}  // namespace rlhf::environments
