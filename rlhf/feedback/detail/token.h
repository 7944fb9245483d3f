#pragma once
#include <string>

namespace rlhf::feedback::detail {

/// 32 hexadecimal digits, unique among all processes; they carry no meaning.
std::string random_token();

}  // namespace rlhf::feedback::detail
