#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::serving {

// What browsers send in addresses, forms and cookies. Nothing here throws: bad input is "no value".

/// "a%20b" -> "a b"; with `plus`, "a+b" too (forms and queries). None when a % is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus = false);

/// Everything but letters, digits and "-._~" as %XX (RFC 3986 §2.3).
std::string percent_encode(std::string_view text);

/// "a=1&b=x%20y". The first value of a name counts; pairs that cannot be decoded are left out.
std::map<std::string, std::string, std::less<>> decode_form(std::string_view text);

/// A Cookie header: "a=1; b=2" (RFC 6265 §4.2). The first value of a name counts: a page of a subdomain can add
/// others, never one before ours.
std::map<std::string, std::string, std::less<>> decode_cookies(std::string_view text);

/// "/api/a%20b" -> {"api", "a b"}, "/" -> {""}. None unless it starts with "/", every piece can be decoded, none is "."
/// or "..", and none holds a NUL or a backslash: such an address is an attempt to leave a folder.
std::optional<std::vector<std::string>> split_path(std::string_view path);

}  // namespace rlhf::serving
