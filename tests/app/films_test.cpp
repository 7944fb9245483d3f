#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "rlhf/core/files.h"
#include "rlhf/environments/clip.h"
#include "rlhf/environments/pendulum.h"
#include "rlhf/feedback/store.h"
#include "tests/app/program.h"

namespace rlhf::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

std::vector<json> rows_of(const fs::path& file) {
  std::vector<json> rows;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  return rows;
}

/// A store with two questions on clips of a pendulum that should spin, the first of which somebody has answered.
std::string asked_about_clips(const fs::path& folder) {
  const auto store = (folder / "feedback.db").string();
  const auto asked = run({"clips", store, "--environment", "pendulum", "--settings", R"({"task": "spin"})", "--questions", "2",
                          "--noise", "1", "--every", "3"});
  EXPECT_EQ(asked.code, 0) << asked.errors;
  auto opened = feedback::Store::open(store);
  const auto lease = opened.lease({"ada"}, std::chrono::seconds(600));
  opened.answer(*lease, feedback::Comparison{.best = 1});
  return store;
}

TEST(ClipsExport, FramesAreTheStatesDrawnAgainToTheBit) {
  const fs::path folder = scratch_folder("clips_export");
  const auto store = asked_about_clips(folder);
  const auto films = folder / "films";
  const auto outcome = run({"clips", "export", store, "--out", films.string(), "--format", "frames", "--width", "90", "--height", "60"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const auto rows = rows_of(films / "clips.jsonl");
  ASSERT_EQ(rows.size(), 4u);
  environments::Pendulum world({.task = environments::PendulumTask::spin});
  const auto opened = feedback::Store::open(store, {.read_only = true});
  std::int64_t chosen = 0;
  for (const auto& row : rows) {
    const auto question = opened.question(row.at("question"));
    ASSERT_TRUE(question);
    const auto segment = data::segment_from_json(question->items.at(row.at("item")).segment, "test");
    const auto frames = environments::render_segment(world, segment, {.width = 90, .height = 60});
    ASSERT_EQ(row.at("frames"), frames.size());
    EXPECT_EQ(row.at("frames_per_second"), 20);
    EXPECT_EQ(row.at("seed"), segment.seed);
    for (std::size_t i = 0; i < frames.size(); ++i)
      EXPECT_EQ(environments::decode_png(read_file(films / row.at("file").get<std::string>() / fmt::format("{:06}.png", i))), frames[i]);
    chosen += row.at("chosen").get<std::int64_t>();
    EXPECT_EQ(row.at("chosen") == 1, row.at("answers") == 1 && row.at("item") == 1);
  }
  EXPECT_EQ(chosen, 1);
}

TEST(ClipsExport, ShowsWhatPeopleWereShown) {
  const fs::path folder = scratch_folder("clips_as_shown");
  const auto store = asked_about_clips(folder);
  const auto id = feedback::Store::open(store, {.read_only = true}).queue({}).at(0).question.id;
  const auto films = folder / "films";
  const auto outcome = run({"clips", "export", store, "--out", films.string(), "--format", "frames", "--as-shown", "--questions", id});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const auto rows = rows_of(films / "clips.jsonl");
  ASSERT_EQ(rows.size(), 2u);
  const auto question = feedback::Store::open(store, {.read_only = true}).question(id);
  for (const auto& row : rows) {
    const auto manifest = environments::read_manifest(folder / "media", question->items.at(row.at("item")).clip);
    ASSERT_EQ(row.at("frames"), manifest.frames.size());
    for (std::size_t i = 0; i < manifest.frames.size(); ++i)
      EXPECT_EQ(environments::decode_png(read_file(films / row.at("file").get<std::string>() / fmt::format("{:06}.png", i))),
                environments::decode_png(read_file(folder / "media" / (manifest.frames[i] + ".png"))));
  }
}

TEST(ClipsExport, SaysWhatIsWrong) {
  const fs::path folder = scratch_folder("clips_export_wrong");
  const auto store = asked_about_clips(folder);
  const auto films = (folder / "films").string();
  const auto other = run({"clips", "export", store, "--out", films, "--settings", R"({"task": "balance"})"});
  EXPECT_EQ(other.code, 5);
  EXPECT_THAT(other.errors, HasSubstr("--settings"));
  const auto unknown = run({"clips", "export", store, "--out", (folder / "more").string(), "--questions", "none"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("there is no question 'none'"));
  EXPECT_FALSE(fs::exists(films));
  const Arguments right = {"clips", "export", store, "--out", films, "--width", "30", "--height", "20"};
  EXPECT_EQ(run(right).code, 0);
  EXPECT_TRUE(fs::exists(fs::path(films) / rows_of(fs::path(films) / "clips.jsonl").at(3).at("file").get<std::string>()));
  EXPECT_THAT(run(right).errors, HasSubstr("new folder"));
  const auto bare = run({"clips", "export", store, "--out", (folder / "mp4").string(), "--format", "mp4"}, "", {{"PATH", "/nowhere"}});
  EXPECT_EQ(bare.code, 4);
  EXPECT_THAT(bare.errors, testing::AllOf(HasSubstr("ffmpeg"), HasSubstr("needs no other program")));
  EXPECT_FALSE(fs::exists(folder / "mp4"));
}

TEST(EnvRecord, FilmsTheFirstEpisode) {
  const fs::path folder = scratch_folder("record_film");
  const auto film = folder / "film";
  const auto outcome = run({"env", "record", "pendulum", "--out", (folder / "shown.jsonl").string(), "--film", film.string(),
                            "--episodes", "2", "--seed", "7", "--width", "60", "--height", "60", "--film-steps", "20"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const auto episodes = rows_of(folder / "shown.jsonl");
  ASSERT_EQ(episodes.size(), 2u);
  environments::Pendulum world;
  world.reset(episodes[0].at("seed").get<std::uint64_t>());
  const auto about = json::parse(read_file(film / "film.json"));
  ASSERT_EQ(about.at("frames"), 21);  // the start and 20 steps, each of a twentieth of a second
  EXPECT_EQ(about.at("frames_per_second"), 20);
  for (int i = 0; i <= 20; ++i) {
    EXPECT_EQ(environments::decode_png(read_file(film / fmt::format("{:06}.png", i))), world.render(60, 60)) << i;
    world.step(std::vector<float>{episodes[0].at("actions").at(std::size_t(i)).at(0).get<float>()});
  }
  EXPECT_EQ(run({"env", "record", "pendulum", "--episodes", "1"}).code, 2);  // neither file nor film
  EXPECT_EQ(run({"env", "record", "pendulum", "--film", (folder / "film.gif").string()}).code, 2);
}

}  // namespace
}  // namespace rlhf::app
