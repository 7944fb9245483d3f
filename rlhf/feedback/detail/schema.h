#pragma once
#include "rlhf/feedback/detail/sqlite.h"

namespace rlhf::feedback::detail {

/// Version of the tables; stored as SQLite's user_version.
inline constexpr std::int64_t schema_version = 2;

/// Makes the tables in an empty file; throws rlhf::Error (bad_data) when the file is something else, or newer.
void open_schema(const Database& database, bool read_only);

}  // namespace rlhf::feedback::detail
