#include "rlhf/feedback/detail/token.h"

#include <random>

namespace rlhf::feedback::detail {

std::string random_token() {
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device device;
  std::string token;
  for (int word = 0; word < 4; ++word) {
    auto bits = device();
    for (int i = 0; i < 8; ++i, bits >>= 4) token += digits[bits & 15];
  }
  return token;
}

}  // namespace rlhf::feedback::detail
