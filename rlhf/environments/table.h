#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "rlhf/core/fields.h"
#include "rlhf/environments/environment.h"
#include "rlhf/environments/vector.h"

namespace rlhf::environments {

/// An environment that a settings file can name: owns its settings and makes the environment from them.
struct EnvironmentKind {
  virtual ~EnvironmentKind() = default;
  virtual void fields(Fields& fields) = 0;
  /// In a word, what has to be installed beside this program; empty for what is part of it, and where it was found.
  /// Kinds that need something are listed without being made.
  virtual std::string needs() const { return ""; }
  virtual std::unique_ptr<Environment> make() const = 0;
  /// Many of it; unless a kind has something faster, one Environment each.
  virtual std::unique_ptr<VectorEnvironment> make_vector(const VectorOptions& options) const;
};

/// Names to factories. A value that an application extends and passes on:
///
///   auto table = builtin_environments();
///   table["my_robot"] = [] { return std::make_unique<MyRobotKind>(); };
using EnvironmentTable = std::map<std::string, std::function<std::unique_ptr<EnvironmentKind>()>, std::less<>>;

/// acrobot, cart_pole, cart_pole_fixed, cliff_walking, frozen_lake, grid, hazard_map, key_treasure, ledger, mini_bowl,
/// mountain_car, mountain_car_continuous, pendulum, point_chase, sentence, tampering_grid, taxi, two_landmarks, waiter;
/// mujoco_robot_names(), which can be made where MuJoCo is installed; played by other programs: atari, gymnasium,
/// worker (any that speaks the protocol of docs/workers.md).
EnvironmentTable builtin_environments();

/// Throws rlhf::Error (usage) naming the known ones when `name` is not in the table.
std::unique_ptr<EnvironmentKind> find_environment(const EnvironmentTable& table, std::string_view name);

/// The environment with these settings (an object, or null for the defaults): what Spec::settings holds makes it again.
/// "wrappers" among them is a list for wrapped() (rlhf/environments/wrappers.h).
std::unique_ptr<Environment> make_environment(const EnvironmentTable& table, std::string_view name,
                                              const nlohmann::json& settings = nullptr);

/// The same, many of them.
std::unique_ptr<VectorEnvironment> make_vector(const EnvironmentTable& table, std::string_view name,
                                               const nlohmann::json& settings, const VectorOptions& options);

}  // namespace rlhf::environments
