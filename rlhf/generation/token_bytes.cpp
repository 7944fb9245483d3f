#include "rlhf/generation/token_bytes.h"

#include <algorithm>

namespace rlhf::generation {

TokenBytes::TokenBytes(const text::TextBundle& text) : stop(text.special.stop), vocabulary(text.tokenizer.size()) {
  for (TokenId id = 0; id < vocabulary; ++id) {
    if (text.tokenizer.is_special(id) || text.is_stop(id)) continue;
    if (auto bytes = text.tokenizer.token_bytes(id); !bytes.empty()) sorted.push_back({id, std::move(bytes), 0});
  }
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.bytes < b.bytes; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const auto &before = sorted[i - 1].bytes, &bytes = sorted[i].bytes;
    sorted[i].shared = std::mismatch(before.begin(), before.end(), bytes.begin(), bytes.end()).first - before.begin();
  }
}

}  // namespace rlhf::generation
