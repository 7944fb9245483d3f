#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace rlhf::feedback::detail {

/// The record's version; throws rlhf::Error (bad_data) when it is newer than this program.
int require_version(const nlohmann::json& record, std::string_view where);

}  // namespace rlhf::feedback::detail
