#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "rlhf/core/fields.h"
#include "rlhf/rewards/score.h"

namespace rlhf::rewards {

/// A reward that a settings file can name: owns its settings and makes the function from them.
struct RewardKind {
  virtual ~RewardKind() = default;
  virtual void fields(Fields& fields) = 0;
  virtual RewardFn make() const = 0;
};

/// Names to factories. A value that an application extends and passes on:
///
///   auto table = builtin_rewards();
///   table["politeness"] = [] { return std::make_unique<Politeness>(); };
using RewardTable = std::map<std::string, std::function<std::unique_ptr<RewardKind>()>, std::less<>>;

/// vader, afinn, lexicon, length, regex, process.
RewardTable builtin_rewards();

/// Throws rlhf::Error naming the known ones when `name` is not in the table.
std::unique_ptr<RewardKind> find_reward(const RewardTable& table, std::string_view name);

}  // namespace rlhf::rewards
