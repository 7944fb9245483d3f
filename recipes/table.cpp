#include <algorithm>

#include "recipes/atari_preferences_demos/recipe.h"
#include "recipes/coach/recipe.h"
#include "recipes/deep_rl_from_human_preferences/recipe.h"
#include "recipes/deep_tamer/recipe.h"
#include "recipes/fine_tuning_from_preferences/recipe.h"
#include "recipes/recipe.h"
#include "recipes/recursive_reward_modeling/recipe.h"
#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"

namespace rlhf::recipes {

RecipeTable builtin_recipes() {
  return {{"atari_preferences_demos", atari_preferences_demos()},
          {"coach", coach()},
          {"deep_rl_from_human_preferences", deep_rl_from_human_preferences()},
          {"deep_tamer", deep_tamer()},
          {"fine_tuning_from_preferences", fine_tuning_from_preferences()},
          {"recursive_reward_modeling", recursive_reward_modeling()}};
}

const Recipe& find_recipe(const RecipeTable& table, const std::string& name) {
  const auto found = table.find(name);
  if (found != table.end()) return found->second;
  std::string known;
  for (const auto& [each, recipe] : table) known += (known.empty() ? "" : ", ") + each;
  throw Error({.category = Category::usage,
               .where = "recipe",
               .what = "there is no recipe \"" + name + "\"",
               .fix = "Known recipes: " + known + "."});
}

}  // namespace rlhf::recipes
