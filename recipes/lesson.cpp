#include "recipes/lesson.h"

#include "rlhf/environments/film_file.h"

namespace rlhf::recipes {

Lesson::Lesson(algorithms::Audience& trainer, Onlooker onlooker, Run& part)
    : trainer_(trainer), onlooker_(std::move(onlooker)), part_(part), curve_(part.folder() / "curve.jsonl", 0) {}

std::vector<algorithms::Request> Lesson::requests() {
  auto requests = trainer_.requests();
  if (part_.stop_requested()) requests.emplace_back(algorithms::Stop{});
  return requests;
}

void Lesson::acknowledge(std::int64_t id, algorithms::Outcome outcome, std::int64_t tick) {
  trainer_.acknowledge(id, outcome, tick);
}

void Lesson::show(const algorithms::View& view, const environments::Environment& environment) {
  if (onlooker_.before) onlooker_.before(view);
  trainer_.show(view, environment);
  if (view.tick % onlooker_.every == 0) curve_.append(onlooker_.look(view).dump() + "\n");
}

void film_agent(environments::Environment& environment, const environments::Policy& policy, std::uint64_t seed,
                const Run& part) {
  constexpr std::int64_t steps = 300;
  constexpr int width = 300, height = 200;
  if (!environment.spec().can.render) return;
  const auto pace = environments::film_pace(environment.spec());
  std::vector<environments::Image> frames;
  const auto shoot = [&, step = std::int64_t{0}](const environments::Environment& now) mutable {
    if (step++ % pace.every == 0) frames.push_back(now.render(width, height));
  };
  roll_out(environment, policy, seed, {.max_steps = steps, .keep_states = false, .watch = shoot});
  environments::write_film(part.folder() / "agent.png", environments::FilmFormat::png, frames, pace.frames_per_second);
}

double earned_in(environments::Environment& environment, const environments::Policy& policy, std::int64_t episodes,
                 std::uint64_t seed) {
  double sum = 0;
  for (std::int64_t i = 0; i < episodes; ++i) {
    const auto own = derive(seed, {static_cast<std::uint64_t>(i)});
    for (const double reward : roll_out(environment, policy, own, {.keep_states = false}).rewards) sum += reward;
  }
  return sum;
}

}  // namespace rlhf::recipes
