#include "recipes/deep_tamer/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/require.h"

namespace rlhf::recipes {

using algorithms::CreditRule;
using algorithms::SignalModelKind;

const std::vector<std::pair<std::string, std::string>>& tamer_arms() {
  static const std::vector<std::pair<std::string, std::string>> names = {
      {"deep", "Deep TAMER"},
      {"linear", "a linear function of what is seen"},
      {"no_delay", "a press is about the last tenth of a second"},
      {"no_replay", "every press teaches once"},
      {"original", "the first TAMER's window, 0.2 to 0.8 seconds"},
      {"sum", "a step's one label is the sum of its shares, 0 in silence"},
      {"balanced", "as many samples from praise as from scolding"},
      {"dqn", "double Q-learning on the true reward, as many steps"}};
  return names;
}

DeepTamerConfig::DeepTamerConfig() {
  for (auto* task : {&mountain_car, &mini_bowl}) {
    task->tamer = {.model = SignalModelKind::deep,
                   .deep = {.learning_rate = 1e-2},
                   .replay_every = 10,
                   .minibatch = 16,
                   .buffer = 1000000};
    auto& dqn = task->dqn;
    dqn.double_q = true;
    dqn.start = 500;
    dqn.target_every = 250;
    dqn.epsilon_share = 0.3;
    dqn.replay.capacity = 20000;
  }
  mountain_car.dqn.learning_rate = 1e-3;
  mountain_car.dqn.batch = 64;
  mountain_car.dqn.train_every = 1;
  mini_bowl.tamer.learning_rate = 0.005;  // 3,200 pixels instead of two numbers
  mini_bowl.dqn.network.architecture = models::Architecture::nature;
  mini_bowl.dqn.learning_rate = 3e-4;
}

void DeepTamerConfig::fields(Fields& f) {
  f.field("tasks", tasks, "mountain_car, mini_bowl");
  f.field("arms", arms, "what is compared: deep, linear, no_delay, no_replay, original, sum, balanced, dqn");
  f.field("seeds", seeds, "runs of each arm on each task");
  f.field("jobs", jobs, "runs at a time, each on one thread; 0 = one for each core");
  f.field("minutes", minutes, "of teaching, the session's time");
  f.field("rate", rate, "steps a second");
  f.group("trainer", trainer, "the simulated trainer");
  f.group("mountain_car", mountain_car, "how MountainCar is learnt");
  f.group("mini_bowl", mini_bowl, "how MiniBowl is learnt");
  f.group("eyes", eyes, "the encoder of MiniBowl's frames");
  f.field("exam_every", exam_every, "session seconds between two looks at how good the agent is by now");
  f.field("exam_episodes", exam_episodes, "played in each");
  f.field("evaluate", evaluate, "episodes played at the end of each run");
  f.field("replay", replay, "repeat each session from its log, which has to give the same bits");
  f.field("seed", seed, "of the first run; the others count up");
}

void DeepTamerConfig::validate() const {
  require_setting(!tasks.empty() && !arms.empty(), "arms", "nothing is compared", "Name one or more.");
  for (const auto& task : tasks)
    require_setting(task == "mountain_car" || task == "mini_bowl", "tasks", fmt::format("there is no task '{}'", task),
                    "Take mountain_car, mini_bowl or both.");
  for (const auto& arm : arms) {
    const auto known =
        std::any_of(tamer_arms().begin(), tamer_arms().end(), [&](const auto& each) { return each.first == arm; });
    require_setting(known, "arms", fmt::format("there is no arm '{}'", arm), "`rlhf recipe show` lists them.");
  }
  require_setting(seeds >= 1, "seeds", "no run was asked for", "Give 1 or more.");
  require_setting(minutes > 0 && rate > 0, "minutes", "nothing is taught", "Give a time and a rate above 0.");
  require_setting(exam_every > 0, "exam_every", "Give a time above 0.");
  require_setting(exam_episodes >= 1, "exam_episodes", "no episode was asked for", "Give 1 or more.");
  require_setting(evaluate >= 10 && evaluate % 10 == 0, "evaluate", "Give a multiple of 10.");
  trainer.validate();
  eyes.validate();
  for (const auto* task : {&mountain_car, &mini_bowl}) {
    task->tamer.validate();
    task->dqn.validate();
  }
}

algorithms::TamerConfig tamer_of(const DeepTamerConfig& config, const std::string& task, const std::string& arm,
                                 std::uint64_t seed) {
  auto tamer = config.task(task).tamer;
  tamer.seed = seed;
  if (arm == "linear") tamer.model = SignalModelKind::linear;
  if (arm == "no_delay") tamer.credit_low = 0.0, tamer.credit_high = 0.1;
  if (arm == "no_replay") tamer.replay_every = 0;
  if (arm == "original") tamer.credit_high = 0.8;
  if (arm == "sum") tamer.credit = CreditRule::sum;
  if (arm == "balanced") tamer.balanced = true;
  return tamer;
}

control::DqnConfig dqn_of(const DeepTamerConfig& config, const std::string& task, std::uint64_t seed) {
  auto dqn = config.task(task).dqn;
  dqn.total_steps = config.steps();
  dqn.envs = 1;
  dqn.seed = seed;
  return dqn;
}

}  // namespace rlhf::recipes
