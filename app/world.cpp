#include "app/world.h"


#include "rlhf/core/error.h"
#include "rlhf/environments/table.h"
#include "rlhf/feedback/store_folder.h"

namespace rlhf::app {

void World::fields(Fields& f) {
  f.field("environment", environment, "what is played; `rlhf env ls` lists them");
  f.field("settings", settings, R"(of the environment, as JSON: {"columns": 6})");
}

std::unique_ptr<environments::Environment> World::make() const {
  nlohmann::json given;
  if (!settings.empty()) {
    given = nlohmann::json::parse(settings, nullptr, false);
    if (!given.is_object())
      throw Error({.category = Category::usage,
                   .where = "settings",
                   .what = "is no JSON object: " + settings,
                   .fix = R"(Write it like --settings '{"columns": 6}'.)"});
  }
  return environments::make_environment(environments::builtin_environments(), environment, given);
}

std::filesystem::path beside(const std::string& store, const std::string& given, const char* name) {
  return given.empty() ? feedback::folder_beside(store, name) : std::filesystem::path(given);
}

}  // namespace rlhf::app
