#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf {

/// One block of Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): 128 random bits that
/// are a pure function of counter and key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A key for one purpose: derive(seed, {policy_version, prompt, sample}). Order and number of the parts count.
std::uint64_t derive(std::uint64_t seed, std::initializer_list<std::uint64_t> key);

/// 64 bits of a text, to use names as parts of a key. The value is the same in every release.
std::uint64_t hash(std::string_view text);

/// Uniform in the open interval (0, 1); a pure function, so that any draw can be made in any order. Independent of
/// the draws of Random(key).
double uniform_at(std::uint64_t key, std::uint64_t counter);

/// A stream of random numbers that is a pure function of (key, position): to resume one, keep both.
class Random {
 public:
  explicit Random(std::uint64_t key, std::uint64_t position = 0) : key_(key), position_(position) {}

  std::uint64_t key() const { return key_; }
  std::uint64_t position() const { return position_; }  // 64-bit draws made so far

  /// 64 random bits.
  std::uint64_t next();
  /// Uniform in the open interval (0, 1), 52 bits.
  double uniform();
  /// Standard normal (Box-Muller). Takes two draws.
  double normal();
  /// Uniform in 0 .. n-1 without bias (Lemire 2019, arXiv:1805.10941). Throws rlhf::Error unless n > 0.
  std::int64_t below(std::int64_t n);

  template <class T>
  void shuffle(std::span<T> items) {
    for (auto left = static_cast<std::int64_t>(items.size()); left > 1; --left) {
      std::swap(items[static_cast<std::size_t>(left - 1)], items[static_cast<std::size_t>(below(left))]);
    }
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    shuffle(std::span<T>(items));
  }

  /// 0 .. n-1 in random order.
  std::vector<std::int64_t> permutation(std::int64_t n);

 private:
  std::uint64_t key_;
  std::uint64_t position_;
};

}  // namespace rlhf
