#include "rlhf/core/seed.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "rlhf/core/error.h"

namespace rlhf {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The last counter word keeps purposes apart: no purpose ever sees another's blocks.
enum class Purpose : std::uint32_t { stream = 0, at = 1, derive = 2 };

std::uint32_t low(std::uint64_t bits) { return static_cast<std::uint32_t>(bits); }
std::uint32_t high(std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); }

// Both 64-bit halves of the block at (counter, index) of a purpose.
std::array<std::uint64_t, 2> block(std::uint64_t key, std::uint64_t counter, std::uint32_t index, Purpose purpose) {
  const auto words =
      philox({low(counter), high(counter), index, static_cast<std::uint32_t>(purpose)}, {low(key), high(key)});
  return {words[0] | std::uint64_t{words[1]} << 32, words[2] | std::uint64_t{words[3]} << 32};
}

// The middle of one of 2^52 equal parts of (0, 1): never 0, never 1.
double open_unit(std::uint64_t bits) { return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52; }

}  // namespace

Words philox(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1], low(first)};
    key[0] += 0x9E3779B9;  // golden ratio
    key[1] += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

std::uint64_t derive(std::uint64_t seed, std::initializer_list<std::uint64_t> key) {
  auto derived = seed;
  std::uint32_t index = 1;
  for (const auto part : key) derived = block(derived, part, index++, Purpose::derive)[0];
  return block(derived, key.size(), 0, Purpose::derive)[0];
}

std::uint64_t hash(std::string_view text) {
  std::uint64_t state = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return derive(state, {text.size()});  // FNV alone leaves short texts close together
}

double uniform_at(std::uint64_t key, std::uint64_t counter) {
  return open_unit(block(key, counter, 0, Purpose::at)[0]);
}

std::uint64_t Random::next() {
  const auto bits = block(key_, position_ / 2, 0, Purpose::stream)[position_ % 2];
  ++position_;
  return bits;
}

double Random::uniform() { return open_unit(next()); }

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::int64_t Random::below(std::int64_t n) {
  if (n <= 0) {
    throw Error({.category = Category::failure,
                 .where = "Random::below",
                 .what = fmt::format("n is {}, not positive", n),
                 .fix = ""});
  }
  __extension__ using Wide = unsigned __int128;
  const auto range = static_cast<std::uint64_t>(n);
  const std::uint64_t unfair = (0 - range) % range;  // 2^64 mod n: that many draws would favour some results
  for (;;) {
    const Wide product = Wide{next()} * range;
    if (static_cast<std::uint64_t>(product) >= unfair) return static_cast<std::int64_t>(product >> 64);
  }
}

std::vector<std::int64_t> Random::permutation(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order);
  return order;
}

}  // namespace rlhf
