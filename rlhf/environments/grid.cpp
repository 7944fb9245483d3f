#include "rlhf/environments/grid.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/grid_picture.h"

namespace rlhf::environments {
namespace {

constexpr std::array<std::array<int, 2>, 4> moves = {{{0, 1}, {1, 0}, {0, -1}, {-1, 0}}};

Spec spec_of(const GridConfig& config) {
  return {.name = "grid",
          .observation = Box{.dtype = Dtype::int64,
                             .shape = {2},
                             .low = {0},
                             .high = {double(config.columns - 1), double(config.rows - 1)}},
          .action = Discrete{{"up", "right", "down", "left"}},
          .max_steps = config.max_steps,
          .step_seconds = 0.5,  // a dog's leisurely pace
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

void check_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  throw Error({.category = Category::usage,
               .where = name,
               .what = fmt::format("it is {}", value),
               .fix = fmt::format("Give {} to {}.", low, high)});
}

}  // namespace

void GridConfig::validate() const {
  check_range("columns", columns, 3, 20);
  check_range("rows", rows, 2, 20);
  check_range("max_steps", max_steps, 0, 1'000'000'000);
}

Grid::Grid(const GridConfig& config) : config_(config), spec_(spec_of(config)) { config.validate(); }

bool Grid::inside(std::int64_t column, std::int64_t row) const {
  return column >= 0 && row >= 0 && column < config_.columns && row < config_.rows;
}

Start Grid::reset(std::uint64_t, const nlohmann::json& options) {  // nothing here is drawn
  check_options(spec_, options, {"cell"});
  Moment moment{.running = 1};
  if (options.is_object() && options.contains("cell")) {
    const auto& cell = options["cell"];
    const bool pair = cell.is_array() && cell.size() == 2 && cell[0].is_number_integer() && cell[1].is_number_integer();
    if (!pair || !inside(cell[0], cell[1])) {
      throw Error({.category = Category::usage,
                   .where = "environment grid",
                   .what = "the option 'cell' of reset is " + cell.dump(),
                   .fix = fmt::format("Give [column, row] below [{}, {}].", config_.columns, config_.rows)});
    }
    moment.column = cell[0];
    moment.row = cell[1];
  }
  now_ = moment;
  return {.observation = observation()};
}

Step Grid::step(const Action& action) {
  if (!now_.running) throw_not_running(spec_);
  now_.facing = checked_choice(spec_, action);
  const auto column = now_.column + moves[now_.facing][0], row = now_.row + moves[now_.facing][1];
  if (inside(column, row)) now_.column = column, now_.row = row;
  ++now_.steps;
  const bool arrived = now_.row == 0 && now_.column == config_.columns - 1;
  const bool puddle = now_.row == 0 && now_.column > 0 && !arrived;
  const bool late = config_.max_steps > 0 && now_.steps >= config_.max_steps;
  now_.running = !arrived && !late;
  return {.observation = observation(),
          .reward = arrived  ? 5.0
                    : puddle ? -1.0
                             : 0.0,
          .terminated = arrived,
          .truncated = late};
}

std::string Grid::state() const { return {reinterpret_cast<const char*>(&now_), sizeof now_}; }

void Grid::set_state(std::string_view bytes) {
  Moment moment;
  bool good = bytes.size() == sizeof moment;
  if (good) {
    std::memcpy(&moment, bytes.data(), sizeof moment);
    good = inside(moment.column, moment.row) && moment.facing >= 0 && moment.facing < 4 && moment.steps >= 0 &&
           (moment.running == 0 || moment.running == 1);
  }
  if (!good) {
    throw Error({.category = Category::bad_data,
                 .where = "environment grid",
                 .what = "these bytes are no state of it",
                 .fix = "Give what state() of the same environment returned."});
  }
  now_ = moment;
}

Image Grid::render(int width, int height) const {
  return draw_grid({.columns = int(config_.columns),
                    .rows = int(config_.rows),
                    .column = int(now_.column),
                    .row = int(now_.row),
                    .facing = int(now_.facing)},
                   width, height);
}

}  // namespace rlhf::environments
