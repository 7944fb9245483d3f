#pragma once
#include "rlhf/algorithms/frame_pretraining.h"
#include "rlhf/algorithms/scripted_trainer.h"
#include "rlhf/algorithms/tamer.h"
#include "rlhf/control/dqn.h"

namespace rlhf::recipes {

/// How one task is taught, and how double Q-learning is set up for it.
struct TaughtTask {
  algorithms::TamerConfig tamer;
  control::DqnConfig dqn;

  void fields(Fields& f) {
    f.group("tamer", tamer, "the learner");
    f.group("dqn", dqn, "double Q-learning on the true reward");
  }
};

/// What is compared: each arm is the method with one thing changed. Names are those of tamer_arms().
struct DeepTamerConfig {
  std::vector<std::string> tasks = {"mountain_car", "mini_bowl"};
  std::vector<std::string> arms = {"deep", "dqn"};
  std::int64_t seeds = 1;  // runs of each arm on each task
  std::int64_t jobs = 0;   // runs at a time, each on one thread; 0 = one for each core
  double minutes = 15.0;   // of teaching, the session's time
  double rate = 10.0;      // steps a second
  algorithms::TrainerHabits trainer;
  TaughtTask mountain_car, mini_bowl;
  algorithms::FramePretrainingConfig eyes;  // of the deep learner in mini_bowl
  double exam_every = 30.0;                 // session seconds between two looks at how good the agent is by now
  std::int64_t exam_episodes = 5;           // of each
  std::int64_t evaluate = 50;               // episodes at the end of each run
  bool replay = true;                       // each session is repeated from its log, which has to give the same bits
  std::uint64_t seed = 1;

  DeepTamerConfig();
  void fields(Fields& f);
  void validate() const;

  const TaughtTask& task(const std::string& name) const { return name == "mini_bowl" ? mini_bowl : mountain_car; }
  std::int64_t steps() const { return static_cast<std::int64_t>(minutes * 60 * rate + 0.5); }
};

/// The names that `arms` may hold, and what each changes.
const std::vector<std::pair<std::string, std::string>>& tamer_arms();

/// The learner of an arm.
algorithms::TamerConfig tamer_of(const DeepTamerConfig& config, const std::string& task, const std::string& arm,
                                 std::uint64_t seed);

/// Double Q-learning with as many steps as a session has.
control::DqnConfig dqn_of(const DeepTamerConfig& config, const std::string& task, std::uint64_t seed);

}  // namespace rlhf::recipes
