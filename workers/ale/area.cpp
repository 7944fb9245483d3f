// SPDX-License-Identifier: GPL-2.0-only
#include "area.h"

#include <algorithm>
#include <numeric>

namespace atari {

AreaResize::Side::Side(int source, int target) {
  const int shared = std::gcd(source, target);
  const int span = source / shared, one = target / shared;
  total = static_cast<std::uint32_t>(span);
  for (int i = 0; i < target; ++i) {
    const int begin = i * span, end = begin + span;
    first.push_back(begin / one);
    place.push_back(static_cast<int>(weights.size()));
    for (int pixel = begin / one; pixel * one < end; ++pixel)
      weights.push_back(static_cast<std::uint32_t>(std::min(end, (pixel + 1) * one) - std::max(begin, pixel * one)));
    count.push_back(static_cast<int>(weights.size()) - place.back());
  }
}

AreaResize::AreaResize(int source_rows, int source_columns, int size)
    : rows_(source_rows, size), columns_(source_columns, size), source_columns_(source_columns), size_(size) {
  mixed_.resize(static_cast<std::size_t>(source_columns));
  const std::uint32_t area = rows_.total * columns_.total;
  rounded_.reserve(255ull * area + 1);
  for (std::uint32_t sum = 0; sum <= 255 * area; ++sum) {
    const std::uint32_t mean = sum / area, rest = 2 * (sum % area);
    rounded_.push_back(static_cast<std::uint8_t>(mean + (rest > area || (rest == area && (mean & 1)))));
  }
}

void AreaResize::operator()(const std::uint8_t* source, const std::uint8_t* changed, std::uint8_t* target) {
  for (int y = 0; y < size_; ++y, target += size_) {
    const auto* lines = changed + rows_.first[y];
    if (std::any_of(lines, lines + rows_.count[y], [](std::uint8_t line) { return line != 0; }))
      shrink(source, y, target);
  }
}

/// One line of the target.
void AreaResize::shrink(const std::uint8_t* source, int y, std::uint8_t* target) {
  std::uint16_t* const mixed = mixed_.data();  // 255 * 250 rows at most: 16 bits do
  const std::uint8_t* const rounded = rounded_.data();
  std::fill(mixed_.begin(), mixed_.end(), std::uint16_t{0});
  for (int r = 0; r < rows_.count[y]; ++r) {
    const std::uint8_t* line = source + (rows_.first[y] + r) * source_columns_;
    const auto weight = static_cast<std::uint16_t>(rows_.weights[rows_.place[y] + r]);
    for (int x = 0; x < source_columns_; ++x) mixed[x] = static_cast<std::uint16_t>(mixed[x] + weight * line[x]);
  }
  const std::uint32_t* across = columns_.weights.data();
  const int *first = columns_.first.data(), *count = columns_.count.data();
  for (int x = 0; x < size_; ++x) {
    std::uint32_t sum = 0;
    const std::uint16_t* from = mixed + first[x];
    for (int c = 0; c < count[x]; ++c) sum += *across++ * from[c];
    target[x] = rounded[sum];
  }
}

}  // namespace atari
