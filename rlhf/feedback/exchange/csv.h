#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::feedback::exchange {

/// One record of a CSV file: fields quoted where they have to be (RFC 4180), ended by "\n".
std::string csv_line(const std::vector<std::string>& fields);

/// The records of a CSV file; quoted fields may hold line ends. Throws rlhf::Error (bad_data) for a quote that is not
/// closed.
std::vector<std::vector<std::string>> csv_records(std::string_view text, std::string_view where);

}  // namespace rlhf::feedback::exchange
