#include "rlhf/environments/taxi.h"

#include <algorithm>
#include <array>
#include <optional>

#include "rlhf/environments/detail/taxi_map.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

using detail::taxi_scene, detail::taxi_seat, detail::taxi_side, detail::taxi_stands, detail::taxi_wall_east;
using detail::TaxiScene;

enum TaxiAction : std::int64_t { south, north, east, west, pick_up, drop_off };
constexpr std::int64_t places = 500;

Spec spec_of(const TaxiConfig& config) {
  return {.name = "taxi",
          .observation = Box{.dtype = Dtype::int64, .shape = {1}, .low = {0}, .high = {places - 1}},
          .action = Discrete{{"south", "north", "east", "west", "pick up", "drop off"}},
          .max_steps = config.max_steps,
          .step_seconds = 0.5,
          .can = {.state = true, .render = true, .text = true},
          .settings = rlhf::to_json(config)};
}

bool can_move(const TaxiScene& scene, std::int64_t way) {
  switch (way) {
    case south:
      return scene.row < taxi_side - 1;
    case north:
      return scene.row > 0;
    case east:
      return !taxi_wall_east(scene.row, scene.column);
    default:
      return scene.column > 0 && !taxi_wall_east(scene.row, scene.column - 1);
  }
}

std::int64_t moved(TaxiScene scene, std::int64_t way) {
  if (!can_move(scene, way)) return scene.number();
  scene.row += way == south ? 1 : way == north ? -1 : 0;
  scene.column += way == east ? 1 : way == west ? -1 : 0;
  return scene.number();
}

/// The stand that the taxi is at.
std::optional<std::int64_t> stand_of(const TaxiScene& scene) {
  for (std::size_t i = 0; i < taxi_stands.size(); ++i)
    if (taxi_stands[i].row == scene.row && taxi_stands[i].column == scene.column) return static_cast<std::int64_t>(i);
  return std::nullopt;
}

Transition picked_up(TaxiScene scene) {
  if (scene.passenger == taxi_seat || stand_of(scene) != scene.passenger) return {1.0, scene.number(), -10.0, false};
  scene.passenger = taxi_seat;
  return {1.0, scene.number(), -1.0, false};
}

Transition dropped_off(TaxiScene scene) {
  const auto stand = stand_of(scene);
  if (!stand || scene.passenger != taxi_seat) return {1.0, scene.number(), -10.0, false};
  scene.passenger = *stand;
  const bool arrived = *stand == scene.destination;
  return {1.0, scene.number(), arrived ? 20.0 : -1.0, arrived};
}

/// A move in the rain may drift to its left or right, unless the way ahead is barred.
std::vector<Transition> moves_of(const TaxiConfig& config, const TaxiScene& scene, std::int64_t way) {
  if (!config.rainy) return {{1.0, moved(scene, way), -1.0, false}};
  constexpr std::array<std::int64_t, 4> left = {east, west, north, south}, right = {west, east, south, north};
  const bool free = can_move(scene, way);
  const double aside = (1.0 - config.rainy_probability) / 2.0;
  const auto drift = [&](std::int64_t to) { return free ? moved(scene, to) : scene.number(); };
  return {{config.rainy_probability, moved(scene, way), -1.0, false},
          {aside, drift(left[static_cast<std::size_t>(way)]), -1.0, false},
          {aside, drift(right[static_cast<std::size_t>(way)]), -1.0, false}};
}

TransitionTable table_of(const TaxiConfig& config) {
  TransitionTable table(6);
  for (std::int64_t place = 0; place < places; ++place) {
    const auto scene = taxi_scene(place);
    for (const auto way : {south, north, east, west}) table.add(moves_of(config, scene, way));
    table.add(std::array{picked_up(scene)});
    table.add(std::array{dropped_off(scene)});
  }
  return table;
}

}  // namespace

void TaxiConfig::validate() const {
  require_limit(max_steps);
  for (const auto& [chance, name] :
       {std::pair{rainy_probability, "rainy_probability"}, std::pair{fickle_probability, "fickle_probability"}})
    if (!(chance >= 0 && chance <= 1))
      throw Error({.category = Category::usage, .where = name, .what = "it is no chance", .fix = "Give 0 to 1."});
}

TaxiWorld::TaxiWorld(const TaxiConfig& config) : config_(config), spec_(spec_of(config)), table_(table_of(config)) {
  config.validate();
}

TaxiState TaxiWorld::start(Random& random) const {
  TaxiScene scene{.row = random.below(taxi_side), .column = random.below(taxi_side), .passenger = random.below(4)};
  scene.destination = (scene.passenger + 1 + random.below(3)) % 4;
  const bool fickle = config_.fickle && random.uniform() < config_.fickle_probability;
  return {.place = scene.number(), .fickle = fickle};
}

TaxiState TaxiWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"place"});
  const TaxiState state{.place = static_cast<std::int64_t>(numbers[0])};
  if (!possible(state))
    throw Error({.category = Category::usage,
                 .where = "environment taxi",
                 .what = "the option 'state' of reset is no state",
                 .fix = "Give 0 to 499."});
  return state;
}

Outcome TaxiWorld::advance(State& state, std::int64_t action, Random& random) const {
  const auto before = taxi_scene(state.place);
  const auto& outcome = table_.drawn(state.place, action, random.uniform());
  auto now = taxi_scene(outcome.next);
  const bool driven = before.passenger == taxi_seat && (now.row != before.row || now.column != before.column);
  if (state.fickle && driven) {
    state.fickle = 0;
    now.destination = (before.destination + 1 + random.below(3)) % 4;
  }
  state.place = now.number();
  if (action <= west) state.facing = action;
  return {.reward = outcome.reward, .terminated = outcome.terminated};
}

bool TaxiWorld::possible(const State& state) const {
  return state.place >= 0 && state.place < places && (state.fickle == 0 || state.fickle == 1) && state.facing >= 0 &&
         state.facing < 4;
}

nlohmann::json TaxiWorld::info(const State& state) const {
  const auto scene = taxi_scene(state.place);
  const auto stand = stand_of(scene);
  std::vector<int> mask;
  for (const auto way : {south, north, east, west}) mask.push_back(can_move(scene, way));
  mask.push_back(scene.passenger != taxi_seat && stand == scene.passenger);
  mask.push_back(scene.passenger == taxi_seat && stand.has_value());
  return {{"action_mask", mask}};
}

std::string TaxiWorld::text(const State& state) const {
  const auto scene = taxi_scene(state.place);
  std::string lines;
  for (std::int64_t row = 0; row < taxi_side; ++row) {
    lines += '|';
    for (std::int64_t column = 0; column < taxi_side; ++column) {
      char here = ' ';
      for (std::size_t i = 0; i < taxi_stands.size(); ++i)
        if (taxi_stands[i].row == row && taxi_stands[i].column == column)
          here = static_cast<std::int64_t>(i) == scene.passenger ? 'p' : taxi_stands[i].letter;
      if (scene.row == row && scene.column == column) here = scene.passenger == taxi_seat ? 't' : 'T';
      lines += here;
      lines += taxi_wall_east(row, column) ? '|' : ' ';
    }
    lines += '\n';
  }
  return lines + "to " + taxi_stands[static_cast<std::size_t>(scene.destination)].letter + '\n';
}

Image TaxiWorld::draw(const State& state, int width, int height) const {
  return detail::draw_taxi(taxi_scene(state.place), state.facing, width, height);
}

template class Single<TaxiWorld>;
template class Batch<TaxiWorld>;

}  // namespace rlhf::environments
