// SPDX-License-Identifier: GPL-2.0-only
// Steps a second of a plain loop over the Arcade Learning Environment: four frames with one action, and the grey screens of
// the last two read, which no preprocessing can do without. Random actions.
#include <ale/ale_interface.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

int main(int count, char** words) {
  if (count < 3) {
    std::fprintf(stderr, "usage: bench_ale_loop ROM STEPS\n");
    return 2;
  }
  ale::Logger::setMode(ale::Logger::Error);
  ale::ALEInterface emulator;
  emulator.setFloat("repeat_action_probability", 0.0f);
  emulator.setInt("random_seed", 1);
  emulator.loadROM(words[1]);
  const auto buttons = emulator.getMinimalActionSet();
  std::minstd_rand random(1);
  std::vector<unsigned char> screens[2];
  const long steps = std::atol(words[2]), warmup = steps / 10;
  auto begin = std::chrono::steady_clock::now();
  for (long step = -warmup; step < steps; ++step) {
    if (step == 0) begin = std::chrono::steady_clock::now();
    const auto button = buttons[random() % buttons.size()];
    for (int frame = 0; frame < 4; ++frame) {
      emulator.act(button);
      if (frame >= 2) emulator.getScreenGrayscale(screens[frame - 2]);
    }
    if (emulator.game_over()) emulator.reset_game();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("{\"steps_per_second\": %.1f}\n", static_cast<double>(steps) / seconds);
}
