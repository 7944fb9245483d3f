#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "rlhf/text/bundle.h"

namespace rlhf::generation {

/// The bytes of every token that stands for text, sorted, so that a search over all of them shares the work on common
/// beginnings. Special tokens are left out. Made once for a model; 50 000 tokens take about 50 ms.
struct TokenBytes {
  struct Entry {
    TokenId id;
    std::string bytes;
    std::size_t shared;  // bytes that it begins with like the entry before it
  };

  explicit TokenBytes(const text::TextBundle& text);

  std::vector<Entry> sorted;
  std::vector<TokenId> stop;     // the model's own
  std::int64_t vocabulary = 0;
};

}  // namespace rlhf::generation
