#include "rlhf/control/film.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/files.h"
#include "rlhf/environments/animation.h"

namespace rlhf::control {

bool film(environments::VectorEnvironment& one, environments::Environment& drawer, const Act& act, std::uint64_t seed,
          const std::filesystem::path& file, const FilmOptions& options) {
  const auto& spec = drawer.spec();
  if (!spec.can.state || !spec.can.render) return false;
  const double step_seconds = spec.step_seconds > 0 ? spec.step_seconds : 0.1;  // a board game at ten moves a second
  const auto every = std::max(1.0, std::ceil(1 / (step_seconds * options.frames_per_second) - 1e-9));
  const at::NoGradGuard no_gradient;
  std::vector<environments::Image> frames;
  const auto shoot = [&] {
    drawer.set_state(one.state_of(0));
    frames.push_back(drawer.render(options.width, options.height));
  };
  Tensor seen = one.reset(seed);
  for (std::int64_t t = 0; t < options.steps; ++t) {
    if (t % static_cast<std::int64_t>(every) == 0) shoot();
    const auto& step = one.step(act(seen).contiguous());
    if (step.ended > 0) break;
    seen = step.observations;
  }
  write_file_atomic(file, environments::encode_animation(frames, 1 / (step_seconds * every)));
  return true;
}

}  // namespace rlhf::control
