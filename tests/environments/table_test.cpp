#include "rlhf/environments/table.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "rlhf/core/files.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

TEST(EnvironmentTable, SettingsOfASpecMakeTheEnvironmentAgain) {
  const auto table = builtin_environments();
  const auto one = make_environment(table, "cart_pole", {{"max_steps", 60}});
  const auto again = make_environment(table, one->spec().name, one->spec().settings);
  EXPECT_EQ(hash_of(one->spec()), hash_of(again->spec()));
  EXPECT_NE(hash_of(one->spec()), hash_of(make_environment(table, "cart_pole")->spec()));
  EXPECT_EQ(error_of([&] { make_environment(table, "cart_pol"); }).fix(), "Did you mean 'cart_pole'?");
  EXPECT_EQ(error_of([&] { make_environment(table, "grid", {{"colums", 4}}); }).category(), Category::usage);
  EXPECT_THROW(make_environment(table, "grid", {{"columns", 1}}), Error);
}

/// What `rlhf env ls` says of environments that other programs play.
TEST(EnvironmentTable, SaysWhatIsInstalled) {
  const ScratchFolder scratch;
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string kept = before ? before : "";
  ::setenv("XDG_CACHE_HOME", scratch.path().c_str(), 1);
  const auto atari = find_environment(builtin_environments(), "atari");
  EXPECT_EQ(atari->needs(), "the Arcade Learning Environment, which is not installed: make ale");
  std::filesystem::create_directories(scratch / "rlhf.cpp/ale/roms");
  write_file_atomic(scratch / "rlhf.cpp/ale/rlhf-atari-worker", "");
  write_file_atomic(scratch / "rlhf.cpp/ale/roms/pong.bin", "");
  EXPECT_EQ(atari->needs(), "the Arcade Learning Environment, which is installed");
  before ? ::setenv("XDG_CACHE_HOME", kept.c_str(), 1) : ::unsetenv("XDG_CACHE_HOME");
  EXPECT_NE(find_environment(builtin_environments(), "gymnasium")->needs().find("Python with gymnasium, which "),
            std::string::npos);
}

/// What every built-in environment promises; a new one is covered by being in the table.
TEST(EnvironmentTable, EveryEnvironmentRepeatsItselfAndKeepsItsSpec) {
  for (const auto& [name, make] : builtin_environments()) {
    if (!make()->needs().empty()) continue;  // played by another program, or not installed: tested elsewhere
    const auto one = make()->make(), other = make()->make();
    EXPECT_EQ(one->spec().name, name);
    const auto policy = random_choice(one->spec());
    const auto a = roll_out(*one, policy, 5), b = roll_out(*other, policy, 5);
    EXPECT_EQ(a.observations, b.observations) << name;
    EXPECT_EQ(a.states, b.states) << name;
    EXPECT_NE(a.terminated, a.truncated) << name;
    ASSERT_EQ(a.states.size(), a.actions.size() + 1) << name;
    other->set_state(a.states[2]);
    EXPECT_EQ(other->state(), a.states[2]) << name;
    EXPECT_EQ(other->step(a.actions[2]).observation, a.observations[3]) << name;
    other->set_state(a.states.back());
    EXPECT_THROW(other->step(a.actions[0]), Error) << name << ": a step after the end";
  }
}

}  // namespace
}  // namespace rlhf::environments
