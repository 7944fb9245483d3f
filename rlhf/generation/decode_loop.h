#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rlhf/data/completion.h"
#include "rlhf/generation/decode_slots.h"
#include "rlhf/generation/json_format.h"
#include "rlhf/generation/sampler.h"
#include "rlhf/generation/stopping.h"
#include "rlhf/models/language_model.h"
#include "rlhf/text/bundle.h"

namespace rlhf::generation {

/// Throws rlhf::Error (bad_data) for a prompt without tokens, for tokens outside the vocabulary, and where prompt and
/// max_new_tokens exceed `context` (0 = no limit).
void require_room(const std::string& where, const TokenIds& prompt, std::int64_t max_new_tokens,
                  std::int64_t vocabulary, std::int64_t context);

/// The key of a completion's random numbers: these four and nothing else.
std::uint64_t draw_key(std::uint64_t seed, std::int64_t policy_version, std::string_view prompt_id, int sample);

/// Completions to make of one prompt: one prefill for all of them.
struct Work {
  struct Sequence {
    std::size_t id = 0;     // the caller's name for it; unlike every other in the loop
    std::uint64_t key = 0;  // of its random numbers
  };
  TokenIds prompt;
  std::vector<Sequence> sequences;
  std::shared_ptr<const SamplingConfig> sampling;  // `num` and `seed` have no effect here: `sequences` says both
  std::shared_ptr<const JsonFormat> format;        // what the text has to be; null = free
  int top_logprobs = 0;                            // so many of the most probable tokens come with each Draw
  bool with_text = false;                          // DrawnToken::text is wanted
};

/// One step of one completion.
struct DrawnToken {
  std::size_t sequence;
  const Draw& draw;
  std::string text;  // what has become sure of the text, perhaps nothing; empty unless Work::with_text
};

/// What the loop tells while it steps.
struct LoopEvents {
  std::function<void(const DrawnToken&)> token;                     // may be empty
  std::function<void(std::size_t sequence, data::Completion)> end;  // ids, logprobs, finish and text are set
};

struct LoopOptions {
  std::int64_t slots = 16;             // sequences decoded at once
  std::int64_t capacity = 2048;        // tokens a sequence may have, prompt included
  std::int64_t prefill_tokens = 4096;  // prompt tokens per prefill pass (at least one prompt's piece)
  std::int64_t piece = 0;              // a longer prompt is prefilled in pieces of so many tokens; 0 = whole
  bool adapters = true;
  bool seldom_full = false;  // most sequences will stay far below the capacity (kv_cache.h)
};

/// The loop behind every completion: work comes and goes, and each step() prefills waiting prompts as far as slots and
/// budget allow, then gives every running sequence one token.
///
/// A completion doesn't depend on its neighbours beyond the rounding of matrix products (about 1e-6), and to the bit
/// while neither `slots` nor `prefill_tokens` exceeds 192 (see models/linear.h): pieces are cut by the prompt's own
/// length, never by what is left of a pass. For one thread.
class DecodeLoop {
 public:
  /// `model` and `text` have to outlive the loop.
  DecodeLoop(const models::LanguageModel& model, const text::TextBundle& text, const LoopOptions& options,
             LoopEvents events);

  /// Behind what waits already. Prompt and max_new_tokens have to fit into `capacity`.
  void add(Work work);

  /// Ends a sequence without an event, whether it waits or runs; its slot is free at the next step. Unknown ones are
  /// ignored.
  void cancel(std::size_t sequence);

  bool idle() const { return waiting_.empty() && slots_.running().empty(); }
  std::size_t prompts_waiting() const;  // without a slot yet
  std::size_t running() const { return slots_.running().size(); }

  /// Throws rlhf::Error where logits are damaged; what is in the loop should then be cancelled.
  void step();

 private:
  struct Task {  // a Work in the loop
    Work work;
    std::unordered_set<TokenId> stop_tokens;
  };
  struct Sequence {  // a completion in the making
    std::shared_ptr<const Task> task;
    std::uint64_t key = 0;
    data::Completion completion;
    TokenIds seen;                       // prompt and completion; kept for the penalties only
    std::optional<CompletionText> text;  // where there are stop texts or the text is wanted
    std::optional<JsonFormat::Cursor> json;
  };
  struct Waiting {
    std::shared_ptr<const Task> task;
    std::vector<std::size_t> sequences;  // less the cancelled ones
    std::size_t group = 0;
    std::int64_t slot = -1, done = 0;  // tokens prefilled
  };
  struct Piece {
    std::int64_t slot;
    std::span<const TokenId> ids;
  };

  void prefill();
  void decode();
  Tensor forward(std::span<const Piece> pieces);
  Tensor head(const Tensor& hidden) const;
  std::vector<std::size_t> draw(const Tensor& logits, const std::vector<std::size_t>& drawing,
                                const std::vector<std::int64_t>& rows);
  bool append(std::size_t id, Sequence& sequence, const Draw& draw);
  void begin(const Waiting& prefilled, const std::vector<std::size_t>& ended);

  const models::LanguageModel& model_;
  const text::TextBundle& text_;
  LoopOptions options_;
  LoopEvents events_;
  models::KvCache cache_;
  DecodeSlots slots_;
  std::deque<Waiting> waiting_;
  std::unordered_map<std::size_t, Sequence> sequences_;
  std::size_t next_group_ = 0;
};

}  // namespace rlhf::generation
