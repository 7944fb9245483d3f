// SPDX-License-Identifier: GPL-2.0-only
#pragma once
#include <cstdint>
#include <vector>

namespace atari {

/// Shrinks grey pictures by the mean of the area that each pixel covers, in whole numbers: exact, rounded to the nearest,
/// halves to even.
class AreaResize {
 public:
  AreaResize(int source_rows, int source_columns, int size);

  /// source [rows, columns] -> target [size, size], which holds what was made of the source when only its lines with
  /// changed[line] were others.
  void operator()(const std::uint8_t* source, const std::uint8_t* changed, std::uint8_t* target);

 private:
  void shrink(const std::uint8_t* source, int y, std::uint8_t* target);

  /// Which source pixels one target pixel covers along a side. A target pixel spans `total` units, a source pixel `one`.
  struct Side {
    Side(int source, int target);
    std::uint32_t total;
    std::vector<int> first, count;
    std::vector<int> place;              // of its first weight
    std::vector<std::uint32_t> weights;  // `count` of each target pixel, one after another
  };
  Side rows_, columns_;
  int source_columns_, size_;
  std::vector<std::uint16_t> mixed_;   // one target row before it is narrowed
  std::vector<std::uint8_t> rounded_;  // the mean of each sum: a table, because 7,056 divisions take longer than all else
};

}  // namespace atari
