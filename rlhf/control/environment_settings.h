#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "rlhf/environments/normalization.h"
#include "rlhf/environments/table.h"

namespace rlhf::control {

/// The environment that a job's agent acts in, as settings name it.
struct EnvironmentSettings {
  std::string environment = "cart_pole";
  std::string settings;               // a JSON object; empty = the environment's own defaults
  std::string evaluation;             // settings that differ in the examination at the end: {"clip_reward": false}
  std::vector<std::string> wrappers;  // "frame_stack 4"; the first is next to the environment
  int threads = 1;                    // for environments whose step is slow
  std::vector<std::int64_t> observe;  // the numbers of an observation that the agent sees; empty = all
  environments::NormalizationConfig normalization;

  void fields(Fields& f);

  /// Hears of what stops nothing, see VectorOptions.
  using Report = std::function<void(std::string_view)>;
  /// Throws rlhf::Error (usage) for an unknown environment or setting.
  std::unique_ptr<environments::VectorEnvironment> make(const environments::EnvironmentTable& table, std::int64_t count,
                                                        Report report = nullptr) const;
  /// The same, to examine an agent that was trained in `trained`: normalised by what was seen there, and by no more.
  std::unique_ptr<environments::VectorEnvironment> make_like(const environments::VectorEnvironment& trained,
                                                             const environments::EnvironmentTable& table,
                                                             std::int64_t count, Report report = nullptr) const;

  /// One of it, wrapped but not normalised: to draw states.
  std::unique_ptr<environments::Environment> make_one(const environments::EnvironmentTable& table) const;

  /// The same world as it is examined.
  EnvironmentSettings for_evaluation() const;

 private:
  nlohmann::json given() const;
  std::unique_ptr<environments::VectorEnvironment> plain(const environments::EnvironmentTable& table,
                                                         std::int64_t count, Report report) const;
};

}  // namespace rlhf::control
