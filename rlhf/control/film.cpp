#include "rlhf/control/film.h"

#include <ATen/core/grad_mode.h>

#include "rlhf/environments/film_file.h"

namespace rlhf::control {

bool film(environments::VectorEnvironment& one, environments::Environment& drawer, const Act& act, std::uint64_t seed,
          const std::filesystem::path& file, const FilmOptions& options) {
  const auto& spec = drawer.spec();
  if (!spec.can.state || !spec.can.render) return false;
  const auto pace = environments::film_pace(spec, options.frames_per_second);
  const at::NoGradGuard no_gradient;
  std::vector<environments::Image> frames;
  const auto shoot = [&] {
    drawer.set_state(one.state_of(0));
    frames.push_back(drawer.render(options.width, options.height));
  };
  Tensor seen = one.reset(seed);
  for (std::int64_t t = 0; t < options.steps; ++t) {
    if (t % pace.every == 0) shoot();
    const auto& step = one.step(act(seen).contiguous());
    if (step.ended > 0) break;
    seen = step.observations;
  }
  environments::write_film(file, environments::film_format_of(file), frames, pace.frames_per_second);
  return true;
}

}  // namespace rlhf::control
