#pragma once
#include <cstdint>
#include <vector>

#include "rlhf/data/prompt.h"

namespace rlhf::algorithms {

/// Prompts for ever, each once per pass, every pass in an order of its own that depends on (seed, pass) alone.
class PromptStream {
 public:
  /// Throws rlhf::Error when there is no prompt or one of them has no token.
  PromptStream(std::vector<data::Prompt> prompts, std::uint64_t seed);

  std::vector<data::Prompt> next(std::int64_t count);

  std::int64_t size() const { return static_cast<std::int64_t>(prompts_.size()); }

  /// How many prompts were given out; `seek` goes on from there.
  std::int64_t cursor() const { return cursor_; }
  void seek(std::int64_t cursor);

 private:
  std::vector<data::Prompt> prompts_;
  std::uint64_t seed_;
  std::int64_t cursor_ = 0;
  std::int64_t pass_ = -1;               // the pass that `order_` belongs to
  std::vector<std::int64_t> order_;
};

}  // namespace rlhf::algorithms
