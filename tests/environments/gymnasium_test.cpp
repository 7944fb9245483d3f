#include "rlhf/environments/gymnasium.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "rlhf/core/files.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

using testing::HasSubstr;

/// RLHF_PYTHON names an interpreter with gymnasium; without one, and none in the system's, there is nothing to test.
class Gymnasium : public testing::Test {
 protected:
  void SetUp() override {
    const char* named = std::getenv("RLHF_PYTHON");
    python_ = named ? named : "python3";
    if (std::system((python_ + " -c 'import gymnasium, numpy' 2>/dev/null").c_str()) != 0)
      GTEST_SKIP() << python_ << " has no gymnasium; set RLHF_PYTHON to one that has it";
  }
  std::unique_ptr<Environment> make(const std::string& id, const std::string& kwargs = "") {
    return make_worker(gymnasium_program({.id = id, .kwargs = kwargs, .python = python_}));
  }
  std::string python_;
};

TEST_F(Gymnasium, CartPoleIsOurCartPole) {
  const auto theirs = make("CartPole-v1");
  EXPECT_EQ(theirs->spec().max_steps, 500);
  EXPECT_EQ(theirs->spec().step_seconds, 0.02);
  CartPole ours;
  Random random(3);
  std::int64_t compared = 0;
  for (int episode = 0; episode < 20; ++episode) {
    const nlohmann::json state = {random.uniform() / 10 - 0.05, random.uniform() / 10 - 0.05,
                                  random.uniform() / 10 - 0.05, random.uniform() / 10 - 0.05};
    const auto a = theirs->reset(1, {{"state", state}}), b = ours.reset(1, {{"state", state}});
    ASSERT_EQ(a.observation, b.observation);
    auto seen = a.observation;
    for (;;) {
      // A policy that balances, mostly: some episodes last.
      const auto action = random.uniform() < 0.2 * (episode % 3) ? Action{random.below(2)} : balance_cart_pole(seen);
      const auto left = theirs->step(action), right = ours.step(action);
      ASSERT_EQ(left.observation, right.observation) << episode << " " << compared;
      ASSERT_EQ(left.reward, right.reward);
      ASSERT_EQ(left.terminated, right.terminated);
      ASSERT_EQ(left.truncated, right.truncated);
      ++compared;
      seen = left.observation;
      if (left.terminated || left.truncated) break;
    }
  }
  EXPECT_GT(compared, 3000);
}

TEST_F(Gymnasium, StatesAreGoneBackTo) {
  for (const char* id :
       {"CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCarContinuous-v0", "FrozenLake-v1", "Taxi-v4"}) {
    const auto world = make(id);
    ASSERT_TRUE(world->spec().can.state) << id;
    const auto policy = random_choice(world->spec());
    const auto played = roll_out(*world, policy, 7, {.max_steps = 6});
    const auto steps = std::ssize(played.actions);
    ASSERT_GT(steps, 1) << id;
    world->set_state(played.states[1]);
    EXPECT_EQ(world->observation(), played.observations[1]) << id;
    for (std::int64_t t = 1; t < steps; ++t)
      ASSERT_EQ(world->step(played.actions[t]).observation, played.observations[t + 1]) << id << " " << t;
  }
}

/// Taxi draws at the start whether its passenger will change his mind on the way: part of a state.
TEST_F(Gymnasium, AFicklePassengerIsPartOfAState) {
  const auto world = make("Taxi-v4", R"({"fickle_passenger": true})");
  int fickle = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    world->reset(seed);
    const auto before = world->state();
    const bool drawn = nlohmann::json::parse(before)["world"]["fickle_step"];
    fickle += drawn;
    world->reset(seed + 100);
    world->set_state(before);
    EXPECT_EQ(world->state(), before) << seed;
  }
  EXPECT_GT(fickle, 0);
  EXPECT_LT(fickle, 12);
}

TEST_F(Gymnasium, ManyAreWhatEachWouldBeAlone) {
  const auto table = builtin_environments();
  const nlohmann::json settings = {{"id", "CartPole-v1"}, {"python", python_}, {"worker", {{"workers", 2}}}};
  const auto many = make_vector(table, "gymnasium", settings, {.count = 3});
  const auto alone = make("CartPole-v1");
  many->reset(11);
  const auto seed = many->place(2).seed;
  auto expected = alone->reset(seed).observation;
  for (std::int64_t t = 0; t < 8; ++t) {
    const auto mine = many->observations()[2].contiguous();
    ASSERT_EQ(std::vector<float>(mine.const_data_ptr<float>(), mine.const_data_ptr<float>() + 4),
              std::get<std::vector<float>>(expected));
    many->step(stacked(std::vector<Action>(3, t % 2)));
    expected = alone->step(t % 2).observation;
  }
}

/// Spaces of an environment made for this test.
TEST_F(Gymnasium, SpacesAreMapped) {
  const ScratchFolder scratch;
  write_file_atomic(scratch / "rlhf_test_spaces.py", R"(
import gymnasium, numpy
from gymnasium import spaces
SPACES = {
  "dict": spaces.Dict({"a": spaces.Discrete(3, start=2), "b": spaces.Box(-1, 1, (2, 2), numpy.float32)}),
  "tuple": spaces.Tuple((spaces.MultiBinary(2), spaces.Box(0, 5, (1,), numpy.float64))),
  "multi": spaces.MultiDiscrete([2, 3]), "picture": spaces.Box(0, 255, (6, 8, 3), numpy.uint8),
  "text": spaces.Text(5), "small": spaces.Box(-3, 3, (2,), numpy.int8)}
class World(gymnasium.Env):
  metadata = {"render_fps": 10}
  def __init__(self, seen, done):
    self.observation_space, self.action_space = SPACES[seen], SPACES[done]
  def reset(self, seed=None, options=None):
    super().reset(seed=seed)
    return self.see(), {"note": "hi"}
  def step(self, action):
    assert self.action_space.contains(action), action
    self.last = action
    reward = numpy.sum(action["b"]) if isinstance(action, dict) else numpy.sum(action)
    return self.see(), float(reward), False, False, {}
  def see(self):
    space = self.observation_space
    if isinstance(space, spaces.Dict): return {"a": 4, "b": numpy.arange(4, dtype=numpy.float32).reshape(2, 2) / 4}
    if isinstance(space, spaces.Tuple): return (numpy.array([0, 1], dtype=numpy.int8), numpy.array([2.5]))
    if space.shape == (6, 8, 3): return numpy.arange(144, dtype=numpy.uint8).reshape(6, 8, 3)
    return numpy.array([1, 2], dtype=space.dtype)
gymnasium.register("Spaces-v0", entry_point=World)
)");
  ::setenv("PYTHONPATH", scratch.path().c_str(), 1);
  const auto spaces = [&](const char* seen, const char* done) {
    return make_worker(gymnasium_program({.id = "Spaces-v0",
                                          .kwargs = nlohmann::json{{"seen", seen}, {"done", done}}.dump(),
                                          .modules = "rlhf_test_spaces",
                                          .python = python_}));
  };
  const auto dict = spaces("dict", "multi");
  EXPECT_EQ(std::get<Box>(dict->spec().observation).shape, (std::vector<std::int64_t>{7}));
  EXPECT_EQ(dict->spec().manifest[1]["name"], "observation.b");
  EXPECT_EQ(dict->spec().manifest[1]["begin"], 3);
  EXPECT_EQ(std::get<std::vector<float>>(dict->reset(1).observation),
            (std::vector<float>{0, 0, 1, 0, 0.25, 0.5, 0.75}));
  const auto& choices = std::get<Discrete>(dict->spec().action).choices;
  EXPECT_EQ(choices.size(), 6U);
  EXPECT_EQ(choices[5], "1,2");
  EXPECT_EQ(dict->step(std::int64_t{5}).reward, 3);
  const auto tuple = spaces("tuple", "multi");
  EXPECT_EQ(std::get<std::vector<double>>(tuple->reset(1).observation), (std::vector<double>{1, 0, 0, 1, 2.5}));
  const auto picture = spaces("picture", "small");
  EXPECT_EQ(std::get<Box>(picture->spec().observation).shape, (std::vector<std::int64_t>{3, 6, 8}));
  const auto seen = std::get<std::vector<std::uint8_t>>(picture->reset(1).observation);
  EXPECT_EQ(seen[0], 0);
  EXPECT_EQ(seen[1], 3);   // the next pixel's red
  EXPECT_EQ(seen[48], 1);  // the first pixel's green
  EXPECT_EQ(picture->step(std::vector<float>{2, -1}).reward, 1);
  EXPECT_THROW(picture->state(), Error);
  const auto numbers = spaces("multi", "small");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(numbers->reset(1).observation), (std::vector<std::int64_t>{1, 2}));
  EXPECT_THAT(error_of([&] { spaces("text", "multi"); }).problem(), HasSubstr("is a Text, which cannot be made"));
  EXPECT_THAT(error_of([&] { spaces("multi", "dict"); }).problem(), HasSubstr("its action.a is a Discrete"));
}

TEST_F(Gymnasium, WhatItDoesNotKnowIsAnError) {
  EXPECT_THAT(error_of([&] { make("CartPoole-v1"); }).problem(), HasSubstr("CartPoole"));
  EXPECT_THROW(gymnasium_program({.kwargs = "[1]"}), Error);
}

TEST_F(Gymnasium, Draws) {
  const auto world = make("FrozenLake-v1");
  if (!world->spec().can.render) GTEST_SKIP() << "no pygame";
  world->reset(1);
  EXPECT_EQ(world->render(60, 40).rgb.size(), 60U * 40 * 3);
}

TEST(GymnasiumInstalled, IsSeenWithoutStartingPython) {
  const ScratchFolder scratch;
  const auto python = (scratch / "bin/python3").string(),
             packages = (scratch / "lib/python3.11/site-packages").string();
  EXPECT_FALSE(gymnasium_installed(python));
  EXPECT_FALSE(gymnasium_installed("no_such_python"));
  for (const auto& file : {python, (scratch / "pyvenv.cfg").string(), packages + "/numpy/__init__.py"}) {
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    write_file_atomic(file, "");
  }
  const char* before = std::getenv("PYTHONPATH");
  const std::string kept = before ? before : "";
  ::unsetenv("PYTHONPATH");
  EXPECT_FALSE(gymnasium_installed(python));
  std::filesystem::create_directories(packages + "/gymnasium");
  write_file_atomic(packages + "/gymnasium/__init__.py", "");
  EXPECT_TRUE(gymnasium_installed(python));
  if (before) ::setenv("PYTHONPATH", kept.c_str(), 1);
}

}  // namespace
}  // namespace rlhf::environments
