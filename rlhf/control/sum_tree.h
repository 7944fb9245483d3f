#pragma once
#include <cstdint>
#include <vector>

namespace rlhf::control {

/// Numbers at places 0 .. places - 1, of which one is drawn as often as it is large, and one changed, in log2(places)
/// steps (Schaul et al. 2016, arXiv:1511.05952, appendix B.2.1).
class SumTree {
 public:
  SumTree() = default;  // of nothing
  explicit SumTree(std::int64_t places);

  void set(std::int64_t place, double value);  // 0 or more; all are 0 at first
  double operator[](std::int64_t place) const { return nodes_[static_cast<std::size_t>(leaves_ + place)]; }
  double total() const { return nodes_[1]; }

  /// Where the sum of the places up to and including it is the first above `mass`, 0 <= mass < total(). Never a place
  /// with 0, however the sums are rounded.
  std::int64_t find(double mass) const;

 private:
  std::int64_t leaves_ = 0;    // a power of two
  std::vector<double> nodes_;  // [2 leaves]: node i sums 2i and 2i + 1
};

}  // namespace rlhf::control
