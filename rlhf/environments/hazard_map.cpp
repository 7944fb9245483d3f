#include "rlhf/environments/hazard_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr double hazard_cost = 5.0, arrival = 20.0;
constexpr int patches = 14;
constexpr std::array<double, 4> hazard_weight = {0.05, 0.2, 1.0, 30.0};  // of a cell of each terrain

Spec spec_of(const HazardMapConfig& config) {
  return {.name = "hazard_map",
          .observation =
              Box{.dtype = Dtype::int64, .shape = {1}, .low = {0}, .high = {double(config.side * config.side - 1)}},
          .action = Discrete{{"up", "right", "down", "left"}},
          .max_steps = config.most_moves() + 1,  // never reached: every route arrives before
          .step_seconds = 0.5,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

std::vector<Terrain> grown_terrain(std::int64_t side, Random& random) {
  std::vector<std::array<std::int64_t, 3>> seeds;
  for (int i = 0; i < patches; ++i) seeds.push_back({random.below(side), random.below(side), random.below(4)});
  std::vector<Terrain> terrain;
  for (std::int64_t cell = 0; cell < side * side; ++cell) {
    const auto distance = [&](const std::array<std::int64_t, 3>& seed) {
      const auto across = seed[0] - cell % side, up = seed[1] - cell / side;
      return across * across + up * up;
    };
    const auto nearest = std::min_element(seeds.begin(), seeds.end(),
                                          [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
    terrain.push_back(static_cast<Terrain>((*nearest)[2]));
  }
  return terrain;
}

std::vector<bool> hidden_hazards(const HazardMapConfig& config, const std::vector<Terrain>& terrain, Random& random) {
  std::vector<double> weight;
  for (const auto each : terrain) weight.push_back(hazard_weight[static_cast<std::size_t>(each)]);
  weight.front() = weight.back() = 0;
  std::vector<bool> hazard(terrain.size(), false);
  for (std::int64_t i = 0; i < config.hazards; ++i) {
    double all = 0;
    for (const double one : weight) all += one;
    double left = random.uniform() * all;
    std::size_t cell = 1;
    while (cell + 2 < weight.size() && (left -= weight[cell]) >= 0) ++cell;
    hazard[cell] = true;
    weight[cell] = 0;
  }
  return hazard;
}

std::int64_t crossed(const HazardMapCells& map, const HazardRoute& route) {
  return std::count_if(route.cells.begin(), route.cells.end(),
                       [&](std::int64_t cell) { return map.hazard[static_cast<std::size_t>(cell)]; });
}

/// Is there no safe shortest route, but a safe one within the detour?
bool is_a_puzzle(const HazardMapCells& map, const HazardMapConfig& config) {
  std::vector<double> cost;
  for (const bool hazard : map.hazard) cost.push_back(hazard ? 1000.0 : 0.0);
  return crossed(map, cheapest_route(map, cost, config.most_moves() - config.detour)) > 0 &&
         crossed(map, cheapest_route(map, cost, config.most_moves())) == 0;
}

}  // namespace

std::int64_t HazardMapCells::to_go(std::int64_t cell) const { return 2 * (side - 1) - cell % side - cell / side; }

std::int64_t HazardMapCells::beside(std::int64_t cell, std::int64_t move) const {
  const auto column = cell % side, row = cell / side;
  if (move == 0) return row + 1 < side ? cell + side : cell;
  if (move == 1) return column + 1 < side ? cell + 1 : cell;
  if (move == 2) return row > 0 ? cell - side : cell;
  return column > 0 ? cell - 1 : cell;
}

void HazardMapConfig::validate() const {
  require_setting(side >= 6 && side <= 20, "side", "Give 6 to 20.");
  require_setting(hazards >= 1 && hazards <= side * side / 4, "hazards", "Give 1 up to a quarter of the cells.");
  require_setting(detour >= 2 && detour % 2 == 0 && detour <= side, "detour",
                  "Give an even number from 2 up to the side.");
  require_setting(sensor_accuracy >= 0 && sensor_accuracy <= 1, "sensor_accuracy", "Give a chance from 0 to 1.");
  require_setting(map >= 0, "map", "Give 0 or more.");
}

/// Exact: the best way to be in each cell after each number of moves.
HazardRoute cheapest_route(const HazardMapCells& map, const std::vector<double>& cost, std::int64_t most_moves) {
  constexpr double far = std::numeric_limits<double>::infinity();
  const auto cells = map.cells();
  const auto at = [&](std::int64_t moves, std::int64_t cell) { return static_cast<std::size_t>(moves * cells + cell); };
  std::vector<double> best(static_cast<std::size_t>((most_moves + 1) * cells), far);
  std::vector<std::int64_t> move_to(best.size(), -1), from(best.size(), -1);
  best[at(0, 0)] = 0;
  for (std::int64_t moves = 0; moves < most_moves; ++moves)
    for (std::int64_t cell = 0; cell < cells; ++cell)
      for (std::int64_t move = 0; move < 4 && best[at(moves, cell)] < far && cell != cells - 1; ++move) {
        const auto next = map.beside(cell, move);
        const double total = best[at(moves, cell)] + 1 + cost[static_cast<std::size_t>(next)];
        if (next == cell || total >= best[at(moves + 1, next)]) continue;
        best[at(moves + 1, next)] = total;
        move_to[at(moves + 1, next)] = move;
        from[at(moves + 1, next)] = cell;
      }
  std::int64_t moves = 0;
  for (std::int64_t each = 1; each <= most_moves; ++each)
    if (best[at(each, cells - 1)] < best[at(moves, cells - 1)]) moves = each;
  HazardRoute route;
  for (auto cell = cells - 1; moves > 0; cell = from[at(moves, cell)], --moves) {
    route.cells.push_back(cell);
    route.moves.push_back(move_to[at(moves, cell)]);
  }
  std::reverse(route.cells.begin(), route.cells.end());
  std::reverse(route.moves.begin(), route.moves.end());
  return route;
}

HazardMapCells make_hazard_map(const HazardMapConfig& config) {
  config.validate();
  constexpr std::uint64_t most_tries = 100000;
  for (std::uint64_t attempt = 0; attempt < most_tries; ++attempt) {
    Random random(derive(static_cast<std::uint64_t>(config.map), {hash("hazard map"), attempt}));
    HazardMapCells map{.side = config.side, .terrain = grown_terrain(config.side, random)};
    map.hazard = hidden_hazards(config, map.terrain, random);
    for (const bool hazard : map.hazard)
      map.sensor.push_back(random.uniform() < config.sensor_accuracy ? hazard : !hazard);
    if (is_a_puzzle(map, config)) return map;
  }
  throw Error({.category = Category::usage,
               .where = "environment hazard_map",
               .what = fmt::format("no map with {} hazards has a safe way only off the shortest ones", config.hazards),
               .fix = "Hide more of them, or allow a longer detour."});
}

HazardMapWorld::HazardMapWorld(const HazardMapConfig& config)
    : config_(config), map_(make_hazard_map(config)), spec_(spec_of(config)) {}

HazardMapWorld::State HazardMapWorld::start(Random&) const { return {}; }

HazardMapWorld::State HazardMapWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"cell", "moves"});
  const State state{static_cast<std::int64_t>(numbers[0]), static_cast<std::int64_t>(numbers[1])};
  if (!possible(state)) throw_no_state(spec_);
  return state;
}

Outcome HazardMapWorld::advance(State& state, std::int64_t action) const {
  auto next = map_.beside(state.cell, action);
  const auto left = config_.most_moves() - state.moves - 1;
  if (map_.to_go(next) > left) next = map_.beside(state.cell, state.cell % map_.side + 1 < map_.side ? 1 : 0);
  state = {next, state.moves + 1};
  const bool arrived = next == map_.cells() - 1;
  const bool hazard = map_.hazard[static_cast<std::size_t>(next)];
  return {.reward = -1.0 - (hazard ? hazard_cost : 0.0) + (arrived ? arrival + 2.0 * double(map_.side - 1) : 0.0),
          .terminated = arrived};
}

bool HazardMapWorld::possible(const State& state) const {
  return state.cell >= 0 && state.cell < map_.cells() && state.moves >= 0 &&
         state.moves + map_.to_go(state.cell) <= config_.most_moves();
}

Image HazardMapWorld::draw(const State& state, int width, int height) const {
  constexpr std::array<unsigned, 4> colors = {0xb9b4aa, 0xb7cf8a, 0x6f9a5d, 0x5d7f86};
  const auto side = static_cast<double>(map_.side);
  Canvas canvas(width, height, {.right = side, .top = side}, rgb(0xf4f1ea));
  const auto middle = [&](std::int64_t cell) {
    return Point{double(cell % map_.side) + 0.5, double(cell / map_.side) + 0.5};
  };
  for (std::int64_t cell = 0; cell < map_.cells(); ++cell)
    canvas.box(middle(cell), 0.94, 0.94, 0.08,
               rgb(colors[static_cast<std::size_t>(map_.terrain[static_cast<std::size_t>(cell)])]));
  canvas.ring(middle(map_.cells() - 1), 0.3, 0.12, rgb(0x3d3a35));
  canvas.disc(middle(state.cell), 0.3, rgb(0xc0562f));
  return canvas.take();
}

template class Single<HazardMapWorld>;
template class Batch<HazardMapWorld>;

}  // namespace rlhf::environments
