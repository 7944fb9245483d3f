#pragma once
#include <string>
#include <string_view>

namespace rlhf {

/// For a config's `validate`: throws rlhf::Error (usage) about the field unless it is as it has to be.
///
///   require_setting(batch >= 1, "batch", "Give 1 or more rows.");  // "batch": out of range. Give 1 or more rows.
void require_setting(bool holds, std::string_view field, std::string_view fix);
/// The same, where more can be said than that it is out of range.
void require_setting(bool holds, std::string_view field, std::string_view what, std::string_view fix);

}  // namespace rlhf
