#include "rlhf/environments/gymnasium.h"

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace workers {
extern const std::string_view gymnasium_worker_py;  // workers/gymnasium_worker.py, compiled in
}

void GymnasiumConfig::fields(Fields& f) {
  f.field("id", id, "what gymnasium.make takes: CartPole-v1");
  f.field("kwargs", kwargs, R"(a JSON object for gymnasium.make: {"max_episode_steps": 200})");
  f.field("modules", modules, "to import before, separated by commas: ale_py");
  f.field("python", python, "interpreter that has gymnasium and numpy");
  f.group("worker", worker, "care for the process");
}

void GymnasiumConfig::validate() const {
  if (!kwargs.empty() && !nlohmann::json::parse(kwargs, nullptr, false).is_object())
    throw Error({.category = Category::usage,
                 .where = "kwargs",
                 .what = "is no JSON object: " + kwargs,
                 .fix = R"(Write it like {"max_episode_steps": 200}.)"});
}

WorkerProgram gymnasium_program(const GymnasiumConfig& config) {
  config.validate();
  auto settings = nlohmann::json{{"id", config.id}, {"kwargs", config.kwargs}, {"modules", config.modules}};
  auto request = settings;
  request["kwargs"] = config.kwargs.empty() ? nlohmann::json::object() : nlohmann::json::parse(config.kwargs);
  // Where Python lies is no matter of the environment, unless it was said.
  if (config.python != GymnasiumConfig().python) settings["python"] = config.python;
  return {.name = "gymnasium",
          .command = {config.python, "-"},
          .input = std::string(workers::gymnasium_worker_py),
          .request = request,
          .settings = settings};
}

}  // namespace rlhf::environments
