#include "rlhf/environments/worker.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include "rlhf/core/clock.h"
#include "rlhf/environments/table.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

using testing::HasSubstr;

WorkerProgram fake(nlohmann::json settings = nlohmann::json::object(), const std::string& at_start = "") {
  return {.name = "fake",
          .command = {"python3", RLHF_SOURCE_DIR "/tests/environments/fake_worker.py", at_start},
          .request = settings,
          .settings = settings};
}

constexpr WorkerCare quick{.timeout = 3.0, .silence = 2.0};

std::vector<float> row(const Tensor& rows, std::int64_t i) {
  const auto one = rows[i].contiguous();
  return {one.const_data_ptr<float>(), one.const_data_ptr<float>() + one.numel()};
}

std::vector<float> start_of(const VectorEnvironment& many, std::int64_t i) {
  return {static_cast<float>(many.place(i).seed % 1000), 0.0F};
}

Tensor actions(std::int64_t count, std::int64_t value) { return at::full({count}, value, at::kLong); }

TEST(Worker, PlaysSavesAndDraws) {
  const auto world = make_worker(fake({{"length", 3}}));
  EXPECT_EQ(world->spec().name, "fake");
  EXPECT_EQ(std::get<Discrete>(world->spec().action).choices[1], "yes");
  EXPECT_THROW(world->step(std::int64_t{0}), Error);
  const auto start = world->reset(1007, {{"colour", "red"}});
  EXPECT_EQ(std::get<std::vector<float>>(start.observation), (std::vector<float>{7, 0}));
  EXPECT_EQ(start.info["options"]["colour"], "red");
  EXPECT_EQ(world->step(std::int64_t{1}).reward, 1);
  const auto state = world->state();
  EXPECT_FALSE(world->step(std::int64_t{0}).terminated);
  const auto last = world->step(std::int64_t{0});
  EXPECT_TRUE(last.terminated);
  EXPECT_FALSE(last.truncated);
  EXPECT_EQ(std::get<std::vector<float>>(last.observation), (std::vector<float>{7, 3}));
  EXPECT_THROW(world->step(std::int64_t{0}), Error);
  world->set_state(state);
  EXPECT_EQ(std::get<std::vector<float>>(world->observation()), (std::vector<float>{7, 1}));
  EXPECT_EQ(std::get<std::vector<float>>(world->step(std::int64_t{0}).observation), (std::vector<float>{7, 2}));
  const auto picture = world->render(4, 4);  // red and blue side by side, black above and below
  EXPECT_EQ(picture.rgb[(1 * 4 + 1) * 3], 255);
  EXPECT_EQ(picture.rgb[(2 * 4 + 2) * 3 + 2], 255);
  EXPECT_EQ(picture.rgb[0], 0);
}

/// What several environments in any number of workers give, by hand.
TEST(Worker, ManyStepTogetherInOneWorkerOrThree) {
  for (const int workers : {1, 3}) {
    const auto many = make_worker_vector(fake({{"length", 3}}), {.workers = workers}, {.count = 4});
    many->reset(5);
    for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(row(many->observations(), i), start_of(*many, i));
    const auto first = many->place(2).seed;
    for (int t = 1; t < 3; ++t) {
      const auto& step = many->step(actions(4, t % 2));
      EXPECT_EQ(step.ended, 0);
      EXPECT_EQ(step.rewards.sum().item<double>(), 4 * (t % 2));
      EXPECT_EQ(row(step.observations, 2), (std::vector<float>{static_cast<float>(first % 1000), float(t)}));
      EXPECT_EQ(many->place(2).step, t);
    }
    const auto& step = many->step(actions(4, 0));
    EXPECT_EQ(step.ended, 4);
    EXPECT_TRUE(step.terminated.all().item<bool>());
    EXPECT_FALSE(step.truncated.any().item<bool>());
    EXPECT_EQ(row(step.final_observations, 2), (std::vector<float>{static_cast<float>(first % 1000), 3}));
    EXPECT_EQ(many->place(2).episode, 1);
    EXPECT_EQ(many->place(2).seed, episode_seed(5, 2, 1));
    EXPECT_EQ(row(step.observations, 2), start_of(*many, 2));
  }
}

TEST(Worker, TheOtherWaysToStartAnew) {
  const auto next = make_worker_vector(fake({{"length", 1}}), {}, {.count = 2, .auto_reset = AutoReset::next_step});
  next->reset(5);
  EXPECT_EQ(next->step(actions(2, 1)).ended, 2);
  EXPECT_EQ(row(next->observations(), 1)[1], 1);
  const auto& after = next->step(actions(2, 1));
  EXPECT_EQ(after.rewards.sum().item<double>(), 0);
  EXPECT_FALSE(after.terminated.any().item<bool>());
  EXPECT_EQ(row(after.observations, 1), start_of(*next, 1));
  const auto still = make_worker_vector(fake({{"length", 1}}), {}, {.count = 2, .auto_reset = AutoReset::disabled});
  still->reset(5);
  still->step(actions(2, 1));
  const auto& stands = still->step(actions(2, 1));
  EXPECT_EQ(row(stands.observations, 1)[1], 1);
  EXPECT_TRUE(stands.terminated.all().item<bool>());
  EXPECT_EQ(stands.rewards.sum().item<double>(), 0);
}

TEST(Worker, GoesOnFromASavedState) {
  const auto one = make_worker_vector(fake({{"length", 7}}), {}, {.count = 3});
  const auto other = make_worker_vector(fake({{"length", 7}}), {.workers = 2}, {.count = 3});
  one->reset(4);
  for (int t = 0; t < 10; ++t) one->step(actions(3, 1));
  other->set_state(one->state());
  for (int t = 0; t < 10; ++t) {
    const auto expected = one->step(actions(3, 1)).observations.clone();
    ASSERT_TRUE(other->step(actions(3, 1)).observations.equal(expected)) << t;
  }
  EXPECT_EQ(one->state(), other->state());
  EXPECT_THROW(other->set_state("no"), Error);
}

TEST(Worker, WithoutStatesNewEpisodesBegin) {
  const auto make = [](std::vector<std::string>& told) {
    return make_worker_vector(fake({{"stateless", true}}), {},
                              {.count = 2, .report = [&told](std::string_view text) { told.emplace_back(text); }});
  };
  std::vector<std::string> told;
  const auto one = make(told), other = make(told);
  one->reset(4);
  one->step(actions(2, 1));
  EXPECT_THROW(one->state_of(0), Error);
  other->set_state(one->state());
  EXPECT_EQ(other->place(1).episode, 1);
  EXPECT_EQ(row(other->observations(), 1), start_of(*other, 1));
  EXPECT_THAT(told, testing::ElementsAre(HasSubstr("cannot save its state")));
}

/// A worker that fails in the sixth step of its two environments, in each of the ways there are.
TEST(Worker, AFailureCutsEpisodesOffAndIsToldOf) {
  const std::pair<const char*, const char*> faults[] = {{"crash", "exit code 7; its last words"},
                                                        {"crash", "the wheel fell off"},
                                                        {"hang", "gave no answer for 3"},
                                                        {"heart", "its heart has not beaten"},
                                                        {"raise", "a wall where none should be"},
                                                        {"garbage", "what it sent is no message"}};
  for (const auto& [fault, words] : faults) {
    const ScratchFolder scratch;
    std::vector<std::string> told;
    const auto many = make_worker_vector(
        fake({{"fault", fault}, {"at", 6}, {"once", (scratch / "once").string()}}), quick,
        {.count = 2, .report = [&told](std::string_view text) { told.emplace_back(text); }});
    many->reset(5);
    many->step(actions(2, 1));
    const auto before = many->step(actions(2, 1)).observations.clone();
    const auto& step = many->step(actions(2, 1));
    ASSERT_THAT(told, testing::ElementsAre(HasSubstr(words))) << fault;
    EXPECT_EQ(step.ended, 2);
    EXPECT_TRUE(step.truncated.all().item<bool>());
    EXPECT_FALSE(step.terminated.any().item<bool>());
    EXPECT_EQ(step.rewards.sum().item<double>(), 0);
    EXPECT_TRUE(step.final_observations.equal(before));  // not what the worker was in the middle of writing
    EXPECT_EQ(row(step.observations, 1), start_of(*many, 1));
    EXPECT_EQ(many->place(1).episode, 1);
    EXPECT_EQ(row(many->step(actions(2, 1)).observations, 1)[1], 1);
    EXPECT_EQ(told.size(), 1U);
  }
}

TEST(Worker, TheOtherWorkersEpisodesGoOn) {
  const ScratchFolder scratch;
  std::vector<std::string> told;
  const auto many = make_worker_vector(
      fake({{"fault", "crash"}, {"at", 4}, {"once", (scratch / "once").string()}}), {.workers = 2},
      {.count = 2, .report = [&told](std::string_view text) { told.emplace_back(text); }});
  many->reset(5);
  std::int64_t ended = 0;
  for (int t = 0; t < 4; ++t) ended += many->step(actions(2, 1)).ended;
  EXPECT_GE(ended, 1);  // both may reach the fault before either has written the file
  EXPECT_EQ(std::ssize(told), ended);
  if (ended == 1) EXPECT_EQ(many->place(0).step + many->place(1).step, 4);
}

TEST(Worker, FailingAgainAndAgainIsAnErrorWithItsLastWords) {
  const auto many = make_worker_vector(fake({{"fault", "crash"}, {"at", 1}}), {.restarts = 2},
                                       {.count = 1, .report = [](std::string_view) {}});
  many->reset(5);
  many->step(actions(1, 1));
  many->step(actions(1, 1));
  const auto error = error_of([&] { many->step(actions(1, 1)); });
  EXPECT_EQ(error.category(), Category::failure);
  EXPECT_THAT(error.problem(), HasSubstr("has failed 3 times"));
  EXPECT_THAT(error.problem(), HasSubstr("the wheel fell off"));
  EXPECT_THROW(many->step(actions(1, 1)), Error);
}

TEST(Worker, AloneItEndsTheEpisodeAndCanBeResetAgain) {
  const ScratchFolder scratch;
  const auto world = make_worker(fake({{"fault", "crash"}, {"at", 2}, {"once", (scratch / "once").string()}}));
  world->reset(8);
  world->step(std::int64_t{1});
  const auto step = world->step(std::int64_t{1});
  EXPECT_TRUE(step.truncated);
  EXPECT_EQ(std::get<std::vector<float>>(step.observation), (std::vector<float>{8, 1}));
  EXPECT_THAT(step.info["worker"].get<std::string>(), HasSubstr("the wheel fell off"));
  EXPECT_THROW(world->step(std::int64_t{1}), Error);
  EXPECT_EQ(std::get<std::vector<float>>(world->reset(9).observation), (std::vector<float>{9, 0}));
}

TEST(Worker, WhatDoesNotStartSaysWhy) {
  const std::tuple<const char*, Category, const char*> starts[] = {
      {"mute", Category::failure, "gave no answer for 3"},
      {"dies", Category::failure, "no such robot"},
      {"stranger", Category::failure, "no greeting of a worker but {\"good\":\"morning\"}"},
      {"old", Category::failure, "speaks version 99 of the workers' protocol, this program version 1"},
      {"refuses", Category::usage, "there is no such track"},
      {"shapeless", Category::bad_data, "shape"}};
  for (const auto& [at_start, category, words] : starts) {
    const double begin = steady_seconds();
    const auto error = error_of([&] { make_worker(fake(nlohmann::json::object(), at_start), quick); });
    EXPECT_THAT(error.problem(), HasSubstr(words)) << at_start;
    EXPECT_EQ(error.category(), category) << at_start;
    EXPECT_LT(steady_seconds() - begin, 10) << at_start;
  }
  auto gone = fake();
  gone.command = {"no-such-program"};
  EXPECT_THAT(error_of([&] { make_worker(gone); }).problem(), HasSubstr("No such file"));
  EXPECT_THROW(make_worker(fake(), {.silence = 0.5}), Error);
}

TEST(Worker, SettingsNameAnyProgram) {
  const auto world = make_environment(
      builtin_environments(), "worker",
      {{"command", {"python3", RLHF_SOURCE_DIR "/tests/environments/fake_worker.py"}}, {"request", R"({"length": 2})"}});
  const auto again = make_environment(builtin_environments(), "worker", world->spec().settings);
  EXPECT_EQ(hash_of(again->spec()), hash_of(world->spec()));
  again->reset(1);
  again->step(std::int64_t{1});
  EXPECT_TRUE(again->step(std::int64_t{1}).terminated);
  EXPECT_THROW(make_environment(builtin_environments(), "worker"), Error);
}

}  // namespace
}  // namespace rlhf::environments
