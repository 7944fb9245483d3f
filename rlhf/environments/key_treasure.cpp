#include "rlhf/environments/key_treasure.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "rlhf/environments/detail/key_treasure_picture.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

using Scene = KeyTreasureScene;
using Cell = KeyTreasureCell;

constexpr std::int32_t side = key_treasure_side, door_column = 5, planes = 6;
constexpr std::array<std::array<std::int32_t, 2>, 4> moves = {{{0, 1}, {1, 0}, {0, -1}, {-1, 0}}};

// From the top row down. K key, D door, T treasure, L lever, ~ lava, # wall.
constexpr std::array<std::string_view, side> map = {
    ".....#..T",  //
    ".###.#.~~",  //
    "...#.#...",  //
    "~#.#.#~..",  //
    "L#...#...",  //
    ".###.#...",  //
    ".....#.~.",  //
    ".~...D...",  //
    "K..~.#...",
};

struct Spot {
  std::int32_t column = 0, row = 0;
};

Spot place_of(Cell cell) {
  for (std::int32_t row = 0; row < side; ++row)
    for (std::int32_t column = 0; column < side; ++column)
      if (key_treasure_cell(column, row) == cell) return {column, row};
  return {};
}

/// Free cells on the near side of the door, from the bottom up, below row `rows`.
std::vector<Spot> starts(std::int32_t rows) {
  std::vector<Spot> cells;
  for (std::int32_t row = 0; row < rows; ++row)
    for (std::int32_t column = 0; column < door_column; ++column)
      if (key_treasure_cell(column, row) == Cell::free) cells.push_back({column, row});
  return cells;
}

bool blocked(std::int32_t column, std::int32_t row, std::int32_t key) {
  if (column < 0 || row < 0 || column >= side || row >= side) return true;
  const auto cell = key_treasure_cell(column, row);
  return cell == Cell::wall || (cell == Cell::door && key == Scene::lies);
}

KeyTreasureState beginning(Spot place) {
  const Scene scene{.column = place.column, .row = place.row};
  return {.now = scene, .before = scene};
}

Spec spec_of(const KeyTreasureConfig& config) {
  const auto shape = config.view == KeyTreasureView::planes
                         ? std::vector<std::int64_t>{planes, side, side}
                         : std::vector<std::int64_t>{2, detail::pixels, detail::pixels};
  return {.name = "key_treasure",
          .observation = Box{.dtype = Dtype::uint8, .shape = shape, .low = {0}, .high = {255}},
          .action = Discrete{{"up", "right", "down", "left"}},
          .max_steps = config.continuing ? 0 : config.steps,
          .step_seconds = 0.25,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

}  // namespace

KeyTreasureCell key_treasure_cell(std::int32_t column, std::int32_t row) {
  switch (map[static_cast<std::size_t>(side - 1 - row)][static_cast<std::size_t>(column)]) {
    case '#':
      return Cell::wall;
    case 'K':
      return Cell::key;
    case 'D':
      return Cell::door;
    case 'T':
      return Cell::treasure;
    case 'L':
      return Cell::lever;
    case '~':
      return Cell::lava;
    default:
      return Cell::free;
  }
}

void KeyTreasureConfig::validate() const {
  if (steps >= 1 && steps <= 1'000'000'000) return;
  throw Error({.category = Category::usage,
               .where = "steps",
               .what = "a round would never begin or never end",
               .fix = "Give 1 or more steps."});
}

KeyTreasureWorld::KeyTreasureWorld(const Config& config) : config_(config), spec_(spec_of(config)) {
  config.validate();
}

KeyTreasureState KeyTreasureWorld::start(Random& random) const {
  static const auto cells = starts(side);
  return beginning(cells[static_cast<std::size_t>(random.below(std::ssize(cells)))]);
}

KeyTreasureState KeyTreasureWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"column", "row"});
  const Spot place{static_cast<std::int32_t>(numbers[0]), static_cast<std::int32_t>(numbers[1])};
  if (blocked(place.column, place.row, Scene::lies))
    throw Error({.category = Category::usage,
                 .where = "environment key_treasure",
                 .what = "nobody can stand at the cell that the option 'state' of reset gives",
                 .fix = "Give a free cell, from [0, 0] at the bottom left to [8, 8]."});
  return beginning(place);
}

Outcome KeyTreasureWorld::advance(State& state, std::int64_t action, Random& random) const {
  if (state.over) {
    state = start(random);
    return {};
  }
  state.before = state.now;
  auto& now = state.now;
  now.event = Scene::nothing;
  const auto& move = moves[static_cast<std::size_t>(action)];
  const auto column = now.column + move[0], row = now.row + move[1];
  const bool moved = !blocked(column, row, now.key);
  if (moved) now.column = column, now.row = row;
  Outcome outcome;
  switch (key_treasure_cell(now.column, now.row)) {
    case Cell::key:
      if (now.key != Scene::lies) break;
      now.key = Scene::carried;
      now.event = Scene::key_taken;
      outcome.reward = 1;
      break;
    case Cell::door:
      if (now.key != Scene::carried) break;
      now.key = Scene::used;
      now.event = Scene::door_opened;
      outcome.reward = 1;
      break;
    case Cell::treasure:
      now.treasure = 0;
      now.event = Scene::treasure_taken;
      outcome.reward = 5;
      break;
    case Cell::lever:
      if (moved) now.event = Scene::lever_pressed;
      break;
    case Cell::lava:
      outcome.reward = -1;
      break;
    default:
      break;
  }
  ++state.steps;
  outcome.terminated = !config_.continuing && now.treasure == 0;
  state.over = config_.continuing && (now.treasure == 0 || state.steps >= config_.steps);
  return outcome;
}

void KeyTreasureWorld::observe(const State& state, std::uint8_t* out) const {
  if (config_.view == KeyTreasureView::pixels) {
    detail::draw_grey(state.before, out);
    detail::draw_grey(state.now, out + detail::pixels * detail::pixels);
    return;
  }
  static const auto still = [] {  // walls and lava, which are the same in all pictures
    std::array<std::uint8_t, planes * side * side> cells{};
    for (std::int32_t row = 0; row < side; ++row)
      for (std::int32_t column = 0; column < side; ++column) {
        const auto cell = key_treasure_cell(column, row);
        if (cell == Cell::wall) cells[static_cast<std::size_t>((2 * side + row) * side + column)] = 255;
        if (cell == Cell::lava) cells[static_cast<std::size_t>((4 * side + row) * side + column)] = 255;
      }
    return cells;
  }();
  static const Spot key = place_of(Cell::key), door = place_of(Cell::door), treasure = place_of(Cell::treasure);
  std::copy(still.begin(), still.end(), out);
  const auto& now = state.now;
  const auto set = [&](std::int32_t plane, Spot at) { out[(plane * side + at.row) * side + at.column] = 255; };
  const Spot here{now.column, now.row};
  set(0, here);
  if (now.key != Scene::used) set(1, now.key == Scene::lies ? key : here);
  if (now.key != Scene::used) set(2, door);
  if (now.treasure) set(3, treasure);
  if (now.event != Scene::nothing) set(5, detail::lit_by_door(now) ? door : here);
}

bool KeyTreasureWorld::possible(const State& state) const {
  const auto good = [](const Scene& scene) {
    return scene.key >= Scene::lies && scene.key <= Scene::used && scene.event >= Scene::nothing &&
           scene.event <= Scene::lever_pressed && (scene.treasure == 0 || scene.treasure == 1) &&
           !blocked(scene.column, scene.row, scene.key);
  };
  return good(state.now) && good(state.before) && state.steps >= 0 && (state.over == 0 || state.over == 1);
}

Image KeyTreasureWorld::draw(const State& state, int width, int height) const {
  return detail::draw_key_treasure(state.now, width, height);
}

std::int64_t way_to_treasure(const KeyTreasureScene& scene) {
  const auto goal = place_of(scene.key == Scene::lies      ? Cell::key
                             : scene.key == Scene::carried ? Cell::door
                                                           : Cell::treasure);
  // Steps from each cell to the goal: breadth first, backwards.
  std::array<std::int32_t, side * side> distance;
  distance.fill(side * side);
  std::vector<Spot> reached = {goal};
  distance[static_cast<std::size_t>(goal.row * side + goal.column)] = 0;
  const auto bad = [&](Spot place) {
    if (blocked(place.column, place.row, scene.key)) return true;
    const auto cell = key_treasure_cell(place.column, place.row);
    return cell == Cell::lava || cell == Cell::lever;
  };
  for (std::size_t i = 0; i < reached.size(); ++i)
    for (const auto& [x, y] : moves) {
      const Spot from{reached[i].column - x, reached[i].row - y};
      // Who stands in the lava has to know the way out.
      if (bad(from) && !(from.column == scene.column && from.row == scene.row)) continue;
      auto& steps = distance[static_cast<std::size_t>(from.row * side + from.column)];
      if (steps < side * side) continue;
      steps = distance[static_cast<std::size_t>(reached[i].row * side + reached[i].column)] + 1;
      reached.push_back(from);
    }
  std::int64_t best = 0;
  std::int32_t least = side * side;
  for (std::size_t action = 0; action < moves.size(); ++action) {
    const Spot to{scene.column + moves[action][0], scene.row + moves[action][1]};
    if (bad(to)) continue;
    const auto steps = distance[static_cast<std::size_t>(to.row * side + to.column)];
    if (steps < least) least = steps, best = static_cast<std::int64_t>(action);
  }
  return best;
}

data::Trajectory demonstrate(const KeyTreasureConfig& config, std::uint64_t seed, double random_share) {
  KeyTreasure world(config);
  data::Trajectory played{.environment = world.spec().name, .spec = hash_of(world.spec()), .seed = seed};
  Random random(derive(seed, {hash("key_treasure.demonstration")}));
  static const auto lower = starts(4);
  const auto& place = lower[static_cast<std::size_t>(random.below(std::ssize(lower)))];
  played.observations.push_back(world.reset(seed, {{"state", {place.column, place.row}}}).observation);
  played.states.push_back(world.state());
  for (std::int64_t t = 0; t < config.steps && world.now().now.treasure; ++t) {
    const auto any = random.uniform() < random_share;
    played.actions.emplace_back(any ? random.below(std::ssize(moves)) : way_to_treasure(world.now().now));
    auto step = world.step(played.actions.back());
    played.observations.push_back(std::move(step.observation));
    played.rewards.push_back(step.reward);
    played.states.push_back(world.state());
    played.terminated = step.terminated;
  }
  played.truncated = !played.terminated;
  return played;
}

template class Single<KeyTreasureWorld>;
template class Batch<KeyTreasureWorld>;

}  // namespace rlhf::environments
