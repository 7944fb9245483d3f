#pragma once
#include <string>
#include <string_view>

namespace rlhf::serving {

/// 32 random bytes of the system as 43 letters, digits, "-" and "_".
std::string random_token();

/// Takes the same time wherever two texts of one length differ.
bool equal_in_constant_time(std::string_view one, std::string_view other);

/// Argon2id with 64 MiB (RFC 9106; libsodium's "interactive" cost), salt and cost inside the text. Takes about a tenth
/// of a second. Throws rlhf::Error: usage for fewer than 8 or more than 1000 bytes, resource when memory is short.
std::string hash_password(std::string_view password);
/// One at a time in this process, so that many logins at once cannot use up the memory.
bool password_fits(std::string_view password, const std::string& hash);

}  // namespace rlhf::serving
