#include "rlhf/control/detail/job_world.h"

#include <fmt/format.h>

#include "rlhf/control/film.h"
#include "rlhf/core/error.h"
#include "rlhf/data/trajectory_file.h"

namespace rlhf::control {
namespace {

EnvironmentSettings::Report warnings_of(Run& run) {
  return [&run](std::string_view text) { run.warn(text); };
}

}  // namespace

void JobWorld::examination_field(Fields& f, const std::string& choice) {
  f.field("evaluate", evaluate, "episodes played at the end, the " + choice + " action each; 0 = none");
}

std::unique_ptr<environments::VectorEnvironment> JobWorld::make(std::int64_t count, Run& run) const {
  return settings.make(table, count, warnings_of(run));
}

std::unique_ptr<environments::VectorEnvironment> JobWorld::make_for_replay(std::int64_t count, Run& run) const {
  if (settings.normalization.any())
    throw Error({.category = Category::usage,
                 .where = "normalization",
                 .what = "a replay buffer keeps what was seen for longer than these statistics hold",
                 .fix = "Leave it off for agents with a replay buffer, or take control_ppo or a2c."});
  return make(count, run);
}

std::unique_ptr<environments::VectorEnvironment> JobWorld::like(const environments::VectorEnvironment& trained,
                                                                Run& run) const {
  const auto count = std::min<std::int64_t>(evaluate, 10);
  return settings.for_evaluation().make_like(trained, table, count, warnings_of(run));
}

void JobWorld::play_for_results(environments::VectorEnvironment& environments, const Act& act, std::uint64_t seed,
                                Run& run,
                                const std::function<void(const environments::VectorStep& step)>& ended) const {
  const auto whole = evaluate / environments.count() * environments.count();
  const auto returns = play(environments, act, whole, derive(seed, {hash("evaluation")}), ended);
  run.write_file("results.json", nlohmann::json{{"mean_return", mean(returns)}, {"returns", returns}}.dump(2) + "\n");
  run.note(fmt::format("mean return of {} episodes: {:.2f}", returns.size(), mean(returns)));
}

void JobWorld::examine(const environments::VectorEnvironment& trained, const Act& act, std::uint64_t seed,
                       Run& run) const {
  if (!examines(run)) return;
  play_for_results(*like(trained, run), act, seed, run);
  if (const auto* seen = dynamic_cast<const environments::Normalized*>(&trained))
    run.write_file("normalization.json", seen->statistics().dump(2) + "\n");
  const auto examined = settings.for_evaluation();
  film(*examined.make_like(trained, table, 1), *examined.make_one(table), act, derive(seed, {hash("film")}),
       run.folder() / "agent.png");
}

std::vector<data::Trajectory> episodes_in(const std::filesystem::path& file, const char* setting,
                                          const environments::Spec& spec, const std::string& flags) {
  if (file.empty())
    throw Error({.category = Category::usage,
                 .where = setting,
                 .what = "no file is named",
                 .fix = "Record some: rlhf env record " + spec.name + " " + flags});
  return data::read_trajectories(file);
}

void DemonstrationSettings::fields(Fields& f) {
  f.field("demonstrations", file, "JSONL of episodes, as `rlhf env record` writes them");
  f.field("episodes", episodes, "the first so many of them; 0 = all");
}

std::vector<data::Trajectory> DemonstrationSettings::episodes_of(const environments::Spec& spec) const {
  auto all = episodes_in(file, "demonstrations", spec, "--out shown.jsonl");
  if (episodes > 0 && episodes < std::ssize(all)) all.resize(static_cast<std::size_t>(episodes));
  return all;
}

}  // namespace rlhf::control
