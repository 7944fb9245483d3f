#pragma once
#include <string>
#include <string_view>

namespace rlhf::evaluation::detail {

/// Text made safe between tags and inside double-quoted attributes. Bytes that are no UTF-8 become U+FFFD.
std::string escape(std::string_view text);

/// "0.71", "−0.20" (a true minus sign), "1,204"; "–" when the number is not finite.
std::string fixed(double value, int decimals);
std::string grouped(double value);
std::string signed_fixed(double value, int decimals);
/// Share 0..1 as "84%".
std::string percent(double share);
/// About three digits: "0.0321", "1.24", "18.3", "1,204".
std::string short_number(double value);
/// "4 min 12 s", "38 s", "2 h 05 min".
std::string duration(double seconds);

}  // namespace rlhf::evaluation::detail
