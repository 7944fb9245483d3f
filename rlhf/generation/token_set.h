#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "rlhf/core/tokens.h"

namespace rlhf::generation {

/// A set of token ids, one bit each.
class TokenSet {
 public:
  explicit TokenSet(std::int64_t vocabulary) : words_((vocabulary + 63) / 64) {}

  void add(TokenId id) { words_[id / 64] |= std::uint64_t{1} << (id % 64); }
  bool contains(TokenId id) const {
    const auto word = static_cast<std::size_t>(id / 64);  // a padded embedding has rows beyond the vocabulary
    return word < words_.size() && (words_[word] >> (id % 64) & 1) != 0;
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace rlhf::generation
