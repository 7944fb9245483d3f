#include "recipes/lesson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/environments/point_chase.h"
#include "rlhf/environments/scripted_agent.h"

namespace rlhf::recipes {
namespace {

std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("lesson_" + name);
  std::filesystem::remove_all(folder);
  return folder;
}

TEST(FilmAgent, LeavesAnAnimatedPictureOfTheSameEpisodeEveryTime) {
  const environments::Policy chase = [](const data::Array& seen, Random&) -> data::Action {
    return environments::chase_ball(seen);
  };
  std::string films[2];
  for (auto& film : films) {
    const auto folder = fresh_folder("film");
    rlhf::Run part({.folder = folder, .quiet = true}, "", {{"algorithm", "lesson"}});
    environments::PointChase world({.max_steps = 40});
    film_agent(world, chase, 3, part);
    film = read_file(folder / "agent.png");
  }
  EXPECT_EQ(films[0], films[1]);
  EXPECT_THAT(films[0], testing::StartsWith("\x89PNG"));
  EXPECT_THAT(films[0], testing::HasSubstr("acTL"));  // animated
}

}  // namespace
}  // namespace rlhf::recipes
