#include "rlhf/control/environment_settings.h"

#include "rlhf/core/error.h"
#include "rlhf/environments/partly_seen.h"

namespace rlhf::control {
namespace {

nlohmann::json object_in(const std::string& text, const char* field) {
  if (text.empty()) return nlohmann::json::object();
  auto given = nlohmann::json::parse(text, nullptr, false);
  if (!given.is_object())
    throw Error({.category = Category::usage,
                 .where = field,
                 .what = "is no JSON object: " + text,
                 .fix = R"(Write it like settings='{"max_steps": 200}'.)"});
  return given;
}

}  // namespace

void EnvironmentSettings::fields(Fields& f) {
  f.field("environment", environment, "what is played; `rlhf env ls` lists them");
  f.field("settings", settings, R"(of the environment, as JSON: {"max_steps": 200})");
  f.field("wrappers", wrappers, R"(around it: ["sticky_actions 0.25", "frame_stack 4"], see environments/wrappers.h)");
  f.field("evaluation", evaluation, R"(settings that differ in the examination at the end: {"clip_reward": false})");
  f.field("threads", threads, "that step slow environments");
  f.field("observe", observe, "the numbers of an observation that the agent sees, counted from 0; empty = all");
  f.group("normalization", normalization, "of what the agent sees and learns from");
}

nlohmann::json EnvironmentSettings::given() const {
  auto object = object_in(settings, "settings");
  for (const auto& wrapper : wrappers) object["wrappers"].push_back(wrapper);
  return object;
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::plain(const environments::EnvironmentTable& table,
                                                                            std::int64_t count, Report report) const {
  auto all = environments::make_vector(table, environment, given(),
                                       {.count = count, .threads = threads, .report = std::move(report)});
  return observe.empty() ? std::move(all) : environments::partly_seen(std::move(all), observe);
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::make(const environments::EnvironmentTable& table,
                                                                           std::int64_t count, Report report) const {
  return environments::normalized(plain(table, count, std::move(report)), normalization);
}

std::unique_ptr<environments::VectorEnvironment> EnvironmentSettings::make_like(
    const environments::VectorEnvironment& trained, const environments::EnvironmentTable& table, std::int64_t count,
    Report report) const {
  return environments::as_seen_in(trained, plain(table, count, std::move(report)));
}

std::unique_ptr<environments::Environment> EnvironmentSettings::make_one(
    const environments::EnvironmentTable& table) const {
  return environments::make_environment(table, environment, given());
}

EnvironmentSettings EnvironmentSettings::for_evaluation() const {
  auto same = *this;
  auto given = object_in(settings, "settings");
  given.update(object_in(evaluation, "evaluation"));
  same.settings = given.empty() ? "" : given.dump();
  return same;
}

}  // namespace rlhf::control
