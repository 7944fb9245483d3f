#include "rlhf/environments/frozen_lake.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

// S start, F ice, H hole, G goal; row by row. The maps are Gymnasium's.
constexpr std::string_view small_lake = "SFFFFHFHFFFHHFFG";
constexpr std::string_view large_lake = "SFFFFFFFFFFFFFFFFFFHFFFFFFFFFHFFFFFHFFFFFHHFFFHFFHFFHFHFFFFHFFFG";
constexpr std::array<std::array<std::int64_t, 2>, 4> moves = {{{-1, 0}, {0, 1}, {1, 0}, {0, -1}}};  // column, row

std::string_view lake_of(const FrozenLakeConfig& config) {
  return config.map == FrozenLakeMap::four ? small_lake : large_lake;
}
std::int64_t side_of(const FrozenLakeConfig& config) { return config.map == FrozenLakeMap::four ? 4 : 8; }

Spec spec_of(const FrozenLakeConfig& config) {
  const auto cells = static_cast<double>(lake_of(config).size());
  return {.name = "frozen_lake",
          .observation = Box{.dtype = Dtype::int64, .shape = {1}, .low = {0}, .high = {cells - 1}},
          .action = Discrete{{"left", "down", "right", "up"}},
          .max_steps = config.max_steps.value_or(config.map == FrozenLakeMap::four ? 100 : 200),
          .step_seconds = 0.5,
          .can = {.state = true, .render = true, .text = true},
          .settings = rlhf::to_json(config)};
}

Transition moved(const FrozenLakeConfig& config, std::int64_t cell, std::int64_t action, double chance) {
  const auto side = side_of(config);
  const auto& move = moves[static_cast<std::size_t>(action)];
  const auto column = std::clamp<std::int64_t>(cell % side + move[0], 0, side - 1);
  const auto row = std::clamp<std::int64_t>(cell / side + move[1], 0, side - 1);
  const auto next = row * side + column;
  const char there = lake_of(config)[static_cast<std::size_t>(next)];
  return {chance, next, there == 'G' ? 1.0 : 0.0, there == 'G' || there == 'H'};
}

TransitionTable table_of(const FrozenLakeConfig& config) {
  TransitionTable table(4);
  const auto lake = lake_of(config);
  const double fail = (1.0 - config.success_rate) / 2.0;
  for (std::int64_t cell = 0; cell < std::ssize(lake); ++cell)
    for (std::int64_t action = 0; action < 4; ++action) {
      const char here = lake[static_cast<std::size_t>(cell)];
      std::vector<Transition> outcomes;
      if (here == 'G' || here == 'H')
        outcomes = {{1.0, cell, 0.0, true}};
      else if (!config.slippery)
        outcomes = {moved(config, cell, action, 1.0)};
      else
        for (const auto turn : {3, 0, 1})
          outcomes.push_back(moved(config, cell, (action + turn) % 4, turn == 0 ? config.success_rate : fail));
      table.add(outcomes);
    }
  return table;
}

void draw_walker(Canvas& canvas, Point c, std::int64_t facing) {
  canvas.glow({c.x, c.y - 0.22}, 0.6, 0.3, rgb(0x2B4A66, 0.35));
  canvas.box({c.x, c.y - 0.08}, 0.34, 0.36, 0.12, rgb(0x3E8E4F));
  canvas.disc({c.x, c.y + 0.16}, 0.15, rgb(0xF0CFA5));
  const std::array<Point, 3> hat = {{{c.x - 0.16, c.y + 0.22}, {c.x + 0.16, c.y + 0.22}, {c.x, c.y + 0.44}}};
  canvas.polygon(hat, rgb(0xC4574E));
  const auto& look = moves[static_cast<std::size_t>(facing)];
  const double x = 0.05 * static_cast<double>(look[0]), y = -0.04 * static_cast<double>(look[1]);
  if (look[1] < 0) return;  // seen from behind
  for (const double eye : {-0.05, 0.05}) canvas.disc({c.x + eye + x, c.y + 0.15 + y}, 0.02, rgb(0x33271C));
}

}  // namespace

void FrozenLakeConfig::validate() const {
  if (max_steps) require_limit(*max_steps);
  if (success_rate >= 0 && success_rate <= 1) return;
  throw Error({.category = Category::usage, .where = "success_rate", .what = "it is no chance", .fix = "Give 0 to 1."});
}

FrozenLakeWorld::FrozenLakeWorld(const FrozenLakeConfig& config)
    : config_(config), spec_(spec_of(config)), table_(table_of(config)) {
  config.validate();
}

FrozenLakeState FrozenLakeWorld::start(Random&) const { return {}; }

FrozenLakeState FrozenLakeWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"cell"});
  const FrozenLakeState state{.cell = static_cast<std::int64_t>(numbers[0])};
  if (!possible(state))
    throw Error({.category = Category::usage,
                 .where = "environment frozen_lake",
                 .what = "the lake has no such cell as the option 'state' of reset gives",
                 .fix = "Give 0 to " + std::to_string(table_.states() - 1) + "."});
  return state;
}

Outcome FrozenLakeWorld::advance(State& state, std::int64_t action, Random& random) const {
  const auto& outcome = table_.drawn(state.cell, action, random.uniform());
  state.cell = outcome.next;
  state.facing = action;
  return {.reward = outcome.reward, .terminated = outcome.terminated};
}

bool FrozenLakeWorld::possible(const State& state) const {
  return state.cell >= 0 && state.cell < table_.states() && state.facing >= 0 && state.facing < 4;
}

std::string FrozenLakeWorld::text(const State& state) const {
  std::string lines;
  const auto lake = lake_of(config_);
  for (std::int64_t cell = 0; cell < std::ssize(lake); ++cell) {
    lines += cell == state.cell ? '@' : lake[static_cast<std::size_t>(cell)];
    if ((cell + 1) % side_of(config_) == 0) lines += '\n';
  }
  return lines;
}

Image FrozenLakeWorld::draw(const State& state, int width, int height) const {
  const auto side = side_of(config_);
  const double extent = static_cast<double>(side), margin = 0.05 * extent;
  Canvas canvas(width, height, {.left = -margin, .bottom = -margin, .right = extent + margin, .top = extent + margin},
                rgb(0xF6F7F9));
  const auto lake = lake_of(config_);
  const auto center = [&](std::int64_t cell) {
    return Point{static_cast<double>(cell % side) + 0.5, extent - 0.5 - static_cast<double>(cell / side)};
  };
  for (std::int64_t cell = 0; cell < std::ssize(lake); ++cell) {
    const auto c = center(cell);
    canvas.box(c, 0.97, 0.97, 0.08, rgb(0xD6EAF5));
    canvas.line({c.x - 0.3, c.y + 0.18}, {c.x - 0.08, c.y + 0.32}, 0.035, rgb(0xF2FAFF));
    const char here = lake[static_cast<std::size_t>(cell)];
    if (here == 'H') {
      canvas.disc({c.x, c.y - 0.02}, 0.4, rgb(0x9CC5DE));
      canvas.disc({c.x, c.y - 0.05}, 0.35, rgb(0x33658A));
    } else if (here == 'S') {
      canvas.ring(c, 0.3, 0.05, rgb(0x9BB7C9));
    } else if (here == 'G') {
      canvas.box({c.x, c.y - 0.1}, 0.56, 0.44, 0.05, rgb(0xC4574E));
      canvas.line({c.x, c.y - 0.3}, {c.x, c.y + 0.1}, 0.08, rgb(0xE0A92E));
      canvas.line({c.x - 0.26, c.y - 0.05}, {c.x + 0.26, c.y - 0.05}, 0.08, rgb(0xE0A92E));
    }
  }
  if (lake[static_cast<std::size_t>(state.cell)] == 'H')  // only the hat is left to see
    canvas.disc(center(state.cell), 0.12, rgb(0xC4574E));
  else
    draw_walker(canvas, center(state.cell), state.facing);
  return canvas.take();
}

template class Single<FrozenLakeWorld>;
template class Batch<FrozenLakeWorld>;

}  // namespace rlhf::environments
