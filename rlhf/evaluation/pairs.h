#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace rlhf::evaluation {

/// Calls use(higher, lower) with the indices of each pair of samples of one prompt whose gold scores differ.
/// Throws rlhf::Error in the name of `where` when the sizes differ.
void for_each_gold_pair(const char* where, std::span<const double> learned, std::span<const double> gold,
                        std::span<const std::string> prompt, const std::function<void(std::size_t, std::size_t)>& use);

}  // namespace rlhf::evaluation
