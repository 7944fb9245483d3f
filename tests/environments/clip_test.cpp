#include "rlhf/environments/clip.h"

#include <gtest/gtest.h>

#include <set>

#include "rlhf/core/files.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

constexpr ClipOptions small{.width = 60, .height = 40, .every = 5};

Action balance(const Array& observation, Random&) { return balance_cart_pole(observation); }

TEST(Clip, FramesAreThePlayAsItHappened) {
  CartPole environment;
  const auto played = roll_out(environment, balance, 3, {.max_steps = 60});
  const auto segment = cut_segment(played, 20, 30);
  EXPECT_EQ(segment.actions, std::vector<Action>(played.actions.begin() + 20, played.actions.begin() + 50));
  const auto frames = render_segment(environment, segment, {.width = 60, .height = 40});
  ASSERT_EQ(frames.size(), 31u);
  for (const int t : {0, 1, 17, 30}) {
    environment.set_state(played.states[20 + t]);
    EXPECT_EQ(frames[t], environment.render(60, 40)) << t;
  }
}

TEST(Clip, TheSameSegmentGivesTheSameHashesAndFiles) {
  CartPole environment, other;
  ScratchFolder media, elsewhere;
  const std::vector<std::uint64_t> seeds = {1};
  const auto clip = record_clips(environment, balance, seeds, 40, media.path(), small).front();
  const auto again = store_clip(other, clip.segment, elsewhere.path(), small);
  EXPECT_EQ(clip.id, again.id);
  EXPECT_EQ(clip.manifest.frames, again.manifest.frames);
  EXPECT_EQ(clip.manifest.frames.size(), 9u);  // the start and every fifth of 40 steps
  EXPECT_DOUBLE_EQ(clip.manifest.fps, 10.0);   // 50 steps a second

  for (const auto& frame : clip.manifest.frames) {
    const auto file = read_file(media / (frame + ".png"));
    EXPECT_EQ(sha256(file), frame);
    EXPECT_EQ(decode_png(file).width, 60);
  }
  EXPECT_EQ(sha256(read_file(media / (clip.id + ".json"))), clip.id);
  EXPECT_EQ(read_manifest(media.path(), clip.id).frames, clip.manifest.frames);
}

TEST(Clip, ClipsOfOneLengthPlayInStepEvenWhereAnEpisodeEnds) {
  CartPole environment;
  ScratchFolder media;
  const std::vector<std::uint64_t> seeds = {1, 2, 3, 4};
  const auto good = record_clips(environment, balance, seeds, 75, media.path(), small, 7);
  const auto poor = record_clips(environment, random_choice(environment.spec()), seeds, 75, media.path(), small);
  bool ended = false;
  std::set<std::int64_t> begins;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    EXPECT_EQ(good[i].manifest.frames.size(), poor[i].manifest.frames.size());
    EXPECT_EQ(good[i].manifest.fps, poor[i].manifest.fps);
    EXPECT_EQ(good[i].segment.policy_version, 7);
    EXPECT_EQ(good[i].segment.actions.size(), 75u);
    begins.insert(good[i].segment.begin);
    const auto& frames = poor[i].manifest.frames;
    if (poor[i].segment.actions.size() < 65) {  // two frames before the end
      ended = true;
      EXPECT_EQ(frames[frames.size() - 1], frames[frames.size() - 2]) << "the last frame is held";
    }
  }
  EXPECT_TRUE(ended);
  EXPECT_GT(begins.size(), 2u) << "the pieces begin at steps drawn from the seed";
}

TEST(Clip, RefusesWhatItCannotShow) {
  CartPole environment, other({.max_steps = 100});
  auto played = roll_out(environment, balance, 3, {.max_steps = 30});
  const auto segment = cut_segment(played, 0, 20);
  EXPECT_EQ(error_of([&] { render_segment(other, segment, small); }).category(), Category::check);
  EXPECT_EQ(error_of([&] { cut_segment(played, 30, 5); }).category(), Category::usage);
  played.states.clear();
  EXPECT_EQ(error_of([&] { cut_segment(played, 0, 5); }).fix(), "Roll out with keep_states.");
}

TEST(Clip, AChangedManifestIsNoticed) {
  CartPole environment;
  ScratchFolder media;
  const auto clip = store_clip(environment, cut_segment(roll_out(environment, balance, 3, {.max_steps = 9}), 0, 5),
                               media.path(), small);
  write_file_atomic(media / (clip.id + ".json"), R"({"fps":1,"frames":[],"height":1,"width":1})");
  EXPECT_EQ(error_of([&] { read_manifest(media.path(), clip.id); }).category(), Category::bad_data);
}

TEST(Segment, JsonKeepsEveryBit) {
  CartPole environment;
  const auto segment = cut_segment(roll_out(environment, balance, 3, {.max_steps = 30}), 4, 20);
  const auto text = to_json(segment).dump();
  const auto back = data::segment_from_json(nlohmann::json::parse(text), "here");
  EXPECT_EQ(to_json(back).dump(), text);
  EXPECT_EQ(back.start_state, segment.start_state);
  EXPECT_EQ(back.actions, segment.actions);
  auto motors = segment;
  for (auto& action : motors.actions) action = std::vector<float>{0.1f, -1.5f};
  EXPECT_EQ(data::segment_from_json(nlohmann::json::parse(to_json(motors).dump()), "here").actions, motors.actions);

  auto record = to_json(segment);
  record["start_state"] = "0g";
  EXPECT_EQ(error_of([&] { data::segment_from_json(record, "row 3"); }).where(), "row 3");
  record = to_json(segment);
  record["rewards"] = {1.0};
  EXPECT_EQ(error_of([&] { data::segment_from_json(record, "row 3"); }).category(), Category::bad_data);
}

}  // namespace
}  // namespace rlhf::environments
