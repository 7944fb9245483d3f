#pragma once
#include <string>

namespace rlhf {

/// Seconds of a clock that never goes back; only differences mean something.
double steady_seconds();
/// Seconds since 1970, UTC.
double wall_seconds();
/// "2026-03-01T12:00:00Z"
std::string utc_now();
/// "00:42", "12:03", "1:02:03"
std::string duration_as_text(double seconds);

}  // namespace rlhf
