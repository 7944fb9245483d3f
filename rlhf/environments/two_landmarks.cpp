#include "rlhf/environments/two_landmarks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "rlhf/environments/canvas.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr std::int32_t last = landmark_cells - 1;
constexpr std::array<std::array<std::int32_t, 2>, 4> moves = {{{0, 1}, {1, 0}, {0, -1}, {-1, 0}}};
constexpr std::array<std::array<std::int32_t, 2>, 2> places = {{{0, last}, {last, 0}}};  // of tree and well

Spec spec_of(const TwoLandmarksConfig& config) {
  return {
      .name = "two_landmarks",
      .observation = Box{.dtype = Dtype::uint8, .shape = {1, landmark_side, landmark_side}, .low = {0}, .high = {255}},
      .action = Discrete{{"up", "right", "down", "left"}},
      .max_steps = config.max_steps,
      .step_seconds = 0.2,
      .can = {.state = true, .render = true},
      .settings = rlhf::to_json(config)};
}

bool inside(std::int32_t column, std::int32_t row) { return column >= 0 && row >= 0 && column <= last && row <= last; }

bool at_landmark(const TwoLandmarksState& state) {
  return steps_to(state, Landmark::tree) == 0 || steps_to(state, Landmark::well) == 0;
}

/// Where a pixel lies in its cell, from the cell's middle, in pixels.
double from_middle(std::int32_t pixel) { return pixel % landmark_pixels - (landmark_pixels - 1) / 2.0; }

/// Grey of a pixel of a cell: the tree a disc, the well a ring, the agent a bright square.
std::uint8_t grey(const TwoLandmarksState& state, std::int32_t column, std::int32_t row, double x, double y) {
  constexpr std::uint8_t field = 60, tree = 150, well = 190, agent = 255;
  if (column == state.column && row == state.row && std::max(std::abs(x), std::abs(y)) < 3) return agent;
  const double radius = std::hypot(x, y);
  if (column == places[0][0] && row == places[0][1] && radius < 3.6) return tree;
  if (column == places[1][0] && row == places[1][1] && radius > 2 && radius < 4) return well;
  return field;
}

}  // namespace

std::int32_t steps_to(const TwoLandmarksState& state, Landmark landmark) {
  const auto& place = places[landmark == Landmark::tree ? 0 : 1];
  return std::abs(state.column - place[0]) + std::abs(state.row - place[1]);
}

void TwoLandmarksConfig::validate() const { require_limit(max_steps); }

TwoLandmarksWorld::TwoLandmarksWorld(const Config& config) : config_(config), spec_(spec_of(config)) {
  config.validate();
}

TwoLandmarksState TwoLandmarksWorld::start(Random& random) const {
  TwoLandmarksState state;
  do {
    state.column = static_cast<std::int32_t>(random.below(landmark_cells));
    state.row = static_cast<std::int32_t>(random.below(landmark_cells));
  } while (at_landmark(state));
  return state;
}

TwoLandmarksState TwoLandmarksWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"column", "row"});
  const TwoLandmarksState state{.column = static_cast<std::int32_t>(numbers[0]),
                                .row = static_cast<std::int32_t>(numbers[1])};
  if (!possible(state) || at_landmark(state))
    throw Error({.category = Category::usage,
                 .where = "environment two_landmarks",
                 .what = "the option 'state' of reset gives no cell in which an episode begins",
                 .fix = "Give [column, row], each 0 to 4, away from the landmarks at [0, 4] and [4, 0]."});
  return state;
}

Outcome TwoLandmarksWorld::advance(State& state, std::int64_t action) const {
  const auto& move = moves[static_cast<std::size_t>(action)];
  if (inside(state.column + move[0], state.row + move[1])) state.column += move[0], state.row += move[1];
  state.moved = static_cast<std::int32_t>(action);
  return {.reward = steps_to(state, config_.wanted) == 0 ? 1.0 : 0.0, .terminated = at_landmark(state)};
}

void TwoLandmarksWorld::observe(const State& state, std::uint8_t* out) const {
  for (std::int32_t y = 0; y < landmark_side; ++y)
    for (std::int32_t x = 0; x < landmark_side; ++x)
      *out++ = grey(state, x / landmark_pixels, last - y / landmark_pixels, from_middle(x), from_middle(y));
}

bool TwoLandmarksWorld::possible(const State& state) const {
  return inside(state.column, state.row) && state.moved >= 0 && state.moved < std::ssize(moves);
}

Image TwoLandmarksWorld::draw(const State& state, int width, int height) const {
  constexpr double half = 0.5;
  Canvas canvas(width, height, {.left = -1, .bottom = -1, .right = last + 1.0, .top = last + 1.0}, rgb(0xF3EFE6));
  canvas.box({last * half, last * half}, landmark_cells + 0.3, landmark_cells + 0.3, 0.15, rgb(0xC9B899));
  for (std::int32_t row = 0; row <= last; ++row)
    for (std::int32_t column = 0; column <= last; ++column)
      canvas.box({double(column), double(row)}, 0.96, 0.96, 0.08, rgb((row + column) % 2 ? 0xDCE8CF : 0xD3E2C4));
  const Point tree{double(places[0][0]), double(places[0][1])}, well{double(places[1][0]), double(places[1][1])};
  canvas.disc(tree, 0.38, rgb(0x4E8A4A));
  canvas.disc({tree.x - 0.1, tree.y + 0.1}, 0.16, rgb(0x7DB36F));
  canvas.disc(well, 0.36, rgb(0x8C8577));
  canvas.disc(well, 0.22, rgb(0x3D6FB4));
  const Point agent{double(state.column), double(state.row)};
  const auto& move = moves[static_cast<std::size_t>(state.moved)];
  canvas.glow({agent.x, agent.y - 0.1}, 0.8, 0.6, rgb(0x40513A, 0.3));
  canvas.disc(agent, 0.27, rgb(0xD9512C));
  canvas.disc({agent.x + 0.12 * move[0], agent.y + 0.12 * move[1]}, 0.09, rgb(0x2B384D));
  return canvas.take();
}

template class Single<TwoLandmarksWorld>;
template class Batch<TwoLandmarksWorld>;

}  // namespace rlhf::environments
