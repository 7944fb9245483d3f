// Steps a second of 1,024 environments on one thread, observations, flags and auto-reset included
// (peers/environments.py). Actions are drawn before: choosing them is the policy's cost.
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "benchmarks/measure.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/table.h"

namespace rlhf::benchmarks {
namespace {

struct Settings {
  std::string environment = "cart_pole";
  std::int64_t envs = 1024, steps = 20000, warmup = 2000;

  void fields(Fields& f) {
    f.field("environment", environment, "a name of `rlhf env ls`");
    f.field("envs", envs, "environments stepped together");
    f.field("steps", steps, "measured steps of all of them");
    f.field("warmup", warmup, "steps before");
  }
};

void run(std::span<const std::string> arguments) {
  Settings settings;
  apply_flags(fields_of(settings), arguments);
  const auto kind = environments::find_environment(environments::builtin_environments(), settings.environment);
  const auto world = kind->make_vector({.count = settings.envs});
  const auto* space = std::get_if<environments::Discrete>(&world->spec().action);
  Random random(1);
  std::vector<Tensor> actions;
  for (int i = 0; i < 64; ++i) {
    if (space) {
      actions.push_back(at::empty({settings.envs}, at::kLong));
      auto* each = actions.back().mutable_data_ptr<std::int64_t>();
      for (std::int64_t e = 0; e < settings.envs; ++e) each[e] = random.below(std::ssize(space->choices));
    } else {
      const auto& box = std::get<environments::Box>(world->spec().action);
      actions.push_back(at::empty({settings.envs, box.shape.at(0)}, at::kFloat));
      auto* each = actions.back().mutable_data_ptr<float>();
      for (std::int64_t e = 0; e < actions.back().numel(); ++e) each[e] = float(2 * random.uniform() - 1);
    }
  }
  world->reset(1);
  double begin = 0;
  std::int64_t episodes = 0;
  for (std::int64_t t = -settings.warmup; t < settings.steps; ++t) {
    if (t == 0) begin = steady_seconds();
    episodes += world->step(actions[static_cast<std::size_t>(t & 63)]).ended;
  }
  const double seconds = steady_seconds() - begin;
  fmt::print("{}\n", nlohmann::json{{"environment", settings.environment},
                                    {"envs", settings.envs},
                                    {"steps_per_second", double(settings.envs * settings.steps) / seconds},
                                    {"episodes", episodes}}
                         .dump());
}

}  // namespace
}  // namespace rlhf::benchmarks

int main(int argc, char** argv) { return rlhf::benchmarks::guarded(argc, argv, rlhf::benchmarks::run); }
