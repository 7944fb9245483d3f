#include "rlhf/environments/mini_bowl.h"

#include <bit>
#include <cstdlib>

#include "rlhf/environments/detail/mini_bowl_picture.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

constexpr std::int32_t rack_half = 3, all_pins = 1023, frames = 10, throws = 2;

Spec spec_of(const MiniBowlConfig& config) {
  return {.name = "mini_bowl",
          .observation =
              Box{.dtype = Dtype::uint8, .shape = {2, mini_bowl_side, mini_bowl_side}, .low = {0}, .high = {255}},
          .action = Discrete{{"do nothing", "throw", "aim up", "aim down"}},
          .max_steps = config.max_steps,
          .step_seconds = 0.1,
          .can = {.state = true, .render = true},
          .settings = rlhf::to_json(config)};
}

bool on_lane(std::int32_t row, std::int32_t margin) { return row >= margin && row < mini_bowl_rows - margin; }

std::int32_t any_aim(Random& random) { return static_cast<std::int32_t>(random.below(mini_bowl_rows)); }

std::int32_t any_rack(Random& random) {
  return rack_half + static_cast<std::int32_t>(random.below(mini_bowl_rows - 2 * rack_half));
}

MiniBowlState beginning(std::int32_t aim, std::int32_t rack) {
  const MiniBowlScene scene{.aim = aim, .rack = rack, .pins = all_pins};
  return {.now = scene, .before = scene};
}

/// The ball has arrived: pins fall, and the next one lies ready.
double arrive(MiniBowlState& state, Random& random) {
  auto& now = state.now;
  const auto standing = pins_after(now);
  const auto fallen = std::popcount(static_cast<std::uint32_t>(now.pins & ~standing));
  now.pins = standing;
  state.score += fallen;
  ++state.thrown;
  if (now.pins == 0 || state.thrown == throws) {
    ++state.frame;
    state.thrown = 0;
    now.pins = all_pins;
    now.rack = any_rack(random);
  }
  now.rolled = 0;
  now.aim = any_aim(random);
  return fallen;
}

}  // namespace

void MiniBowlConfig::validate() const { require_limit(max_steps); }

MiniBowlWorld::MiniBowlWorld(const Config& config) : spec_(spec_of(config)) { config.validate(); }

MiniBowlState MiniBowlWorld::start(Random& random) const {
  const auto aim = any_aim(random);
  return beginning(aim, any_rack(random));
}

MiniBowlState MiniBowlWorld::given(const std::vector<double>& numbers) const {
  require_numbers(spec_, numbers, {"aim", "rack"});
  const auto state = beginning(static_cast<std::int32_t>(numbers[0]), static_cast<std::int32_t>(numbers[1]));
  if (!possible(state))
    throw Error({.category = Category::usage,
                 .where = "environment mini_bowl",
                 .what = "the option 'state' of reset gives rows that are not on the lane",
                 .fix = "Give [aim, rack]: 0 to 17, and 3 to 14."});
  return state;
}

Outcome MiniBowlWorld::advance(State& state, std::int64_t action, Random& random) const {
  state.before = state.now;
  auto& now = state.now;
  if (now.rolled > 0) {
    if (++now.rolled < mini_bowl_roll) return {};
    const double fallen = arrive(state, random);
    return {.reward = fallen, .terminated = state.frame == frames};
  }
  if (action == bowl_throw) now.rolled = 1;
  if (action == bowl_aim_up && now.aim + 1 < mini_bowl_rows) ++now.aim;
  if (action == bowl_aim_down && now.aim > 0) --now.aim;
  return {};
}

void MiniBowlWorld::observe(const State& state, std::uint8_t* out) const {
  detail::draw_grey(state.before, out);
  detail::draw_grey(state.now, out + mini_bowl_side * mini_bowl_side);
}

bool MiniBowlWorld::possible(const State& state) const {
  const auto good = [](const MiniBowlScene& scene) {
    return on_lane(scene.aim, 0) && on_lane(scene.rack, rack_half) && scene.rolled >= 0 &&
           scene.rolled < mini_bowl_roll && scene.pins >= 0 && scene.pins <= all_pins;
  };
  return good(state.now) && good(state.before) && state.frame >= 0 && state.frame <= frames && state.thrown >= 0 &&
         state.thrown < throws && state.score >= 0 && state.score <= 10 * frames;
}

Image MiniBowlWorld::draw(const State& state, int width, int height) const {
  return detail::draw_mini_bowl(state, width, height);
}

std::int32_t pins_after(const MiniBowlScene& scene) {
  const auto offset = scene.aim - scene.rack;
  const auto reach = offset == 0 ? rack_half : std::abs(offset) == 1 ? 1 : 0;
  auto standing = scene.pins;
  for (std::int32_t pin = 0; pin < 10; ++pin)
    if (std::abs(detail::place_of_pin(pin).beside - offset) <= reach) standing &= ~(1 << pin);
  return standing;
}

int pins_felled(const MiniBowlScene& scene) {
  return std::popcount(static_cast<std::uint32_t>(scene.pins & ~pins_after(scene)));
}

std::int32_t best_aim(const MiniBowlScene& scene) {
  const auto fallen = [&](std::int32_t aim) {
    auto thrown = scene;
    thrown.aim = aim;
    return pins_felled(thrown);
  };
  auto best = scene.aim;
  for (std::int32_t aim = 0; aim < mini_bowl_rows; ++aim) {
    const auto more = fallen(aim) - fallen(best);
    if (more > 0 || (more == 0 && std::abs(aim - scene.aim) < std::abs(best - scene.aim))) best = aim;
  }
  return best;
}

std::int64_t bowl_well(const MiniBowlScene& scene) {
  if (scene.rolled > 0) return bowl_nothing;
  const auto aim = best_aim(scene);
  return aim > scene.aim ? bowl_aim_up : aim < scene.aim ? bowl_aim_down : bowl_throw;
}

template class Single<MiniBowlWorld>;
template class Batch<MiniBowlWorld>;

}  // namespace rlhf::environments
