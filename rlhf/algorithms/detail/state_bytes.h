#pragma once
#include <ranges>
#include <string>
#include <type_traits>

namespace rlhf::algorithms {

/// Appends a number as it lies in memory, or all numbers of a contiguous range: how learners write the state whose hash
/// tells whether a session was repeated to the bit. Never for padded structs.
template <class T>
void append(std::string& bytes, const T& value) {
  if constexpr (std::ranges::contiguous_range<T>) {
    using Number = std::ranges::range_value_t<T>;
    static_assert(std::is_arithmetic_v<Number>);
    bytes.append(reinterpret_cast<const char*>(std::ranges::data(value)), std::ranges::size(value) * sizeof(Number));
  } else {
    static_assert(std::is_arithmetic_v<T>);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
}

}  // namespace rlhf::algorithms
