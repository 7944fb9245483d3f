#pragma once
#include <array>
#include <cstdint>

#include "rlhf/environments/image.h"

namespace rlhf::environments::detail {

constexpr std::int64_t taxi_side = 5, taxi_seat = 4;  // cells a side; the passenger's place in the taxi

struct TaxiScene {
  std::int64_t row = 0, column = 0;  // of the taxi, from the top left
  std::int64_t passenger = 0;        // stand, or taxi_seat
  std::int64_t destination = 0;      // stand

  std::int64_t number() const { return ((row * taxi_side + column) * 5 + passenger) * 4 + destination; }
};

inline TaxiScene taxi_scene(std::int64_t number) {
  return {number / 100, number / 20 % taxi_side, number / 4 % 5, number % 4};
}

struct TaxiStand {
  std::int64_t row = 0, column = 0;
  char letter = ' ';
  unsigned color = 0;
};
constexpr std::array<TaxiStand, 4> taxi_stands = {
    {{0, 0, 'R', 0xC4574E}, {0, 4, 'G', 0x3E8E4F}, {4, 0, 'Y', 0xE0A92E}, {4, 3, 'B', 0x3D6FB4}}};

/// Is there a wall between a cell and its neighbour to the east? The sides of the map are walls, too.
constexpr bool taxi_wall_east(std::int64_t row, std::int64_t column) {
  if (column >= taxi_side - 1) return true;
  if (row <= 1) return column == 1;
  return row >= 3 && (column == 0 || column == 2);
}

/// `facing`: 0 south, 1 north, 2 east, 3 west.
Image draw_taxi(const TaxiScene& scene, std::int64_t facing, int width, int height);

}  // namespace rlhf::environments::detail
