#pragma once
#include "rlhf/feedback/detail/database.h"

namespace rlhf::feedback::detail {

/// Version of the tables; SQLite keeps it as user_version, PostgreSQL in the table `store`.
inline constexpr std::int64_t schema_version = 3;

/// Makes the tables where there are none and brings older ones up to date; throws rlhf::Error (bad_data) when the
/// database is something else, or newer.
void open_schema(Database& database, bool read_only);

/// The tables and indexes of this version, in the words of one database.
std::string tables_for(bool postgres);

/// From version 1 or 2, inside a transaction: SQLite only, as there never was another store of those versions.
void migrate(Database& database, std::int64_t from);

}  // namespace rlhf::feedback::detail
