// Gymnasium's toy worlds: their tables, of tests/reference/environments/make_toy_worlds.py.
#include <gtest/gtest.h>

#include <fstream>

#include "rlhf/core/files.h"
#include "rlhf/environments/cliff_walking.h"
#include "rlhf/environments/frozen_lake.h"
#include "rlhf/environments/table.h"
#include "rlhf/environments/taxi.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

const nlohmann::json& reference() {
  static const auto all = [] {
    std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/environments/toy_worlds.json");
    return nlohmann::json::parse(file);
  }();
  return all.at("worlds");
}

/// What each action can bring about, as the script writes it.
std::string written(const TransitionTable& table, std::int64_t state, std::int64_t actions,
                    const std::vector<double>& chances) {
  std::string text;
  for (std::int64_t action = 0; action < actions; ++action) {
    if (action > 0) text += '|';
    std::string entries;
    for (const auto& outcome : table.of(state, action)) {
      std::size_t chance = 0;
      while (chance < chances.size() && std::abs(chances[chance] - outcome.chance) > 1e-11) ++chance;
      entries += (entries.empty() ? "" : ";") + std::to_string(chance) + "," + std::to_string(outcome.next) + "," +
                 std::to_string(static_cast<int>(outcome.reward)) + "," + (outcome.terminated ? "1" : "0");
    }
    text += entries;
  }
  return text;
}

const TransitionTable& table_of(const Environment& environment) {
  if (const auto* lake = dynamic_cast<const FrozenLake*>(&environment)) return lake->world().transitions();
  if (const auto* cliff = dynamic_cast<const CliffWalking*>(&environment)) return cliff->world().transitions();
  return dynamic_cast<const Taxi&>(environment).world().transitions();
}

std::int64_t actions_of(const Environment& environment) {
  return std::ssize(std::get<Discrete>(environment.spec().action).choices);
}

TEST(ToyWorlds, TablesAreGymnasiums) {
  for (const auto& [name, r] : reference().items()) {
    const auto environment =
        make_environment(builtin_environments(), r.at("environment").get<std::string>(), r.at("settings"));
    const auto& table = table_of(*environment);
    EXPECT_EQ(environment->spec().max_steps, r.at("max_steps").get<std::int64_t>()) << name;
    ASSERT_EQ(table.states(), r.at("states").get<std::int64_t>()) << name;
    std::string all;
    for (std::int64_t state = 0; state < table.states(); ++state) {
      const auto text = written(table, state, actions_of(*environment), r.at("chances"));
      if (r.at("table").contains(std::to_string(state)))
        ASSERT_EQ(text, r["table"][std::to_string(state)].get<std::string>()) << name << " state " << state;
      all += (state > 0 ? "\n" : "") + text;
    }
    EXPECT_EQ(sha256(all), r.at("hash").get<std::string>()) << name;
  }
}

/// Where nothing is left to chance, a step from each state is the table's; elsewhere it is one of the table's, each as
/// often as it should be.
TEST(ToyWorlds, StepsFollowTheTables) {
  std::uint64_t seed = 0;
  for (const auto& [name, r] : reference().items()) {
    const auto environment =
        make_environment(builtin_environments(), r.at("environment").get<std::string>(), r.at("settings"));
    const auto& table = table_of(*environment);
    const bool cliff = r.at("environment") == "cliff_walking";
    double surprise = 0, cells = 0;
    for (std::int64_t state = 0; state < table.states(); ++state)
      for (std::int64_t action = 0; action < actions_of(*environment); ++action) {
        if (cliff && state > 36 && state < 47) continue;  // nobody can be there
        const auto outcomes = table.of(state, action);
        const int draws = outcomes.size() == 1 ? 1 : table.states() < 100 ? 300 : 20;
        std::map<std::tuple<std::int64_t, double, bool>, double> seen, expected;
        for (const auto& outcome : outcomes)
          expected[{outcome.next, outcome.reward, outcome.terminated}] += outcome.chance;
        for (int i = 0; i < draws; ++i) {
          environment->reset(++seed, {{"state", {state}}});
          const auto step = environment->step(action);
          const auto next = std::get<std::vector<std::int64_t>>(step.observation)[0];
          ++seen[{next, step.reward, step.terminated}];
        }
        for (const auto& [outcome, times] : seen) ASSERT_TRUE(expected.contains(outcome)) << name << " " << state;
        for (const auto& [outcome, chance] : expected) {
          if (chance > 1 - 1e-9) continue;
          const double off = seen[outcome] - draws * chance;
          surprise += off * off / (draws * chance * (1 - chance));
          ++cells;
        }
      }
    if (cells > 0) EXPECT_NEAR(surprise / cells, 1, 0.6) << name;  // a chi-squared of one degree for each
  }
}

TEST(ToyWorlds, TaxiStartsAndMasksAreGymnasiums) {
  Taxi taxi;
  const auto& r = reference().at("taxi");
  for (std::int64_t place = 0; place < 500; ++place) {
    std::string mask;
    const auto start = taxi.reset(0, {{"state", {place}}});
    for (const auto& one : start.info.at("action_mask")) mask += std::to_string(one.get<int>());
    ASSERT_EQ(mask, r.at("masks")[static_cast<std::size_t>(place)].get<std::string>()) << place;
  }
  std::map<std::int64_t, int> starts;
  for (std::uint64_t seed = 0; seed < 6000; ++seed)
    ++starts[std::get<std::vector<std::int64_t>>(taxi.reset(seed).observation)[0]];
  EXPECT_EQ(starts.size(), r.at("starts").size());
  for (const auto& start : r.at("starts")) EXPECT_NEAR(starts[start.get<std::int64_t>()], 20, 20) << start;
}

TEST(ToyWorlds, AFickleTaxiPassengerChangesHisMindOnceHeIsDriven) {
  int changed = 0;
  Taxi taxi({.fickle = true});
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    taxi.reset(seed);
    const auto destination = taxi.now().place % 4;
    // Put into the taxi at once, in a cell from which north is free: the flag was drawn with the start.
    auto state = taxi.now();
    state.place = ((2 * 5 + 2) * 5 + 4) * 4 + destination;
    Moment<TaxiWorld> moment{.world = state, .running = 1, .random = Random(seed)};
    taxi.set_state({reinterpret_cast<const char*>(&moment), sizeof moment});
    taxi.step(std::int64_t{4});  // nothing moves, nothing changes
    EXPECT_EQ(taxi.now().place % 4, destination);
    taxi.step(std::int64_t{1});
    const auto then = taxi.now().place % 4;
    changed += then != destination;
    taxi.step(std::int64_t{0});
    EXPECT_EQ(taxi.now().place % 4, then);
  }
  EXPECT_NEAR(changed / 2000.0, 0.3, 0.035);
}

TEST(ToyWorlds, AreWrittenInLettersAndDrawn) {
  FrozenLake lake;
  lake.reset(0, {{"state", {5}}});
  EXPECT_EQ(lake.text(), "SFFF\nF@FH\nFFFH\nHFFG\n");
  CliffWalking cliff;
  cliff.reset(0);
  EXPECT_EQ(cliff.text(), "............\n............\n............\n@CCCCCCCCCCG\n");
  Taxi taxi;
  taxi.reset(0, {{"state", {((1 * 5 + 2) * 5 + 3) * 4 + 0}}});
  EXPECT_EQ(taxi.text(), "|R  |    G|\n|   |T    |\n|         |\n| |   |   |\n|Y|   |p  |\nto R\n");
  for (const Environment* world :
       {static_cast<Environment*>(&lake), static_cast<Environment*>(&cliff), static_cast<Environment*>(&taxi)}) {
    EXPECT_TRUE(world->spec().can.text);
    EXPECT_EQ(world->render(64, 48).rgb.size(), 64u * 48 * 3);
  }
  EXPECT_THROW(cliff.reset(0, {{"state", {40}}}), Error);
  EXPECT_THROW(lake.reset(0, {{"state", {16}}}), Error);
}

}  // namespace
}  // namespace rlhf::environments
