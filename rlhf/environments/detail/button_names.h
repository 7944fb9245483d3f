#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::environments {

/// Which buttons each choice needs, sorted: "left", "right", "up", "down", "fire", or for what is none of these the
/// choice's own, "#3". No two choices need the same.
std::vector<std::vector<std::string>> buttons_of(const std::vector<std::string>& choices);

/// Is this the name of a choice that leaves the world alone ("do nothing", "noop", "stay", "no torque")?
bool does_nothing(std::string_view choice);

}  // namespace rlhf::environments
