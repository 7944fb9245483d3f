#pragma once
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "rlhf/core/error.h"
#include "rlhf/data/completion.h"
#include "rlhf/generation/json_format.h"
#include "rlhf/generation/sampler.h"
#include "rlhf/models/language_model.h"
#include "rlhf/text/bundle.h"

namespace rlhf::generation {

struct LiveOptions {
  std::int64_t slots = 16;          // sequences decoded at once
  std::int64_t queue = 64;          // completions that may wait for a slot
  std::int64_t context = 2048;      // tokens a sequence may have; the model's own context where that is smaller
  std::int64_t piece = 64;          // prompt tokens prefilled in a row: what running streams wait for at most, ...
  std::int64_t prefill_tokens = 128;  // ... times the prompts that share a pass
  bool adapters = true;
};

/// One token of one completion, while it is made.
struct LiveToken {
  int sample = 0;
  const Draw& draw;
  const std::string& text;  // what has become sure of the text: whole characters, no beginning of a stop text
};

/// What somebody asks of the engine. The functions are called on the engine's thread: they have to be quick, must not throw
/// and must not wait for the engine.
struct LiveRequest {
  std::string prompt_id;                      // part of the random numbers' key, with sampling.seed and the sample's number
  TokenIds prompt;
  SamplingConfig sampling;                    // its own; `num` completions
  std::shared_ptr<const JsonFormat> format;   // what the text has to be; null = free
  int top_logprobs = 0;                       // so many of the most probable tokens come with each Draw
  std::function<void(const LiveToken&)> on_token;                            // may be empty
  std::function<void(int sample, const data::Completion&)> on_finish;        // once a sample
  std::function<void(const Error&)> on_error;  // the engine could not go on; nothing follows
};

/// What the engine has done and is doing.
struct LiveStatus {
  std::int64_t slots = 0, running = 0, waiting = 0;  // sequences; prompts without a slot
  std::int64_t accepted = 0, finished = 0, cancelled = 0, refused = 0;  // requests since the start
  std::int64_t prompt_tokens = 0, completion_tokens = 0;
};

/// Serves requests that come and go from any thread: the loop of generate(), kept running on a thread of its own, which
/// is the only one that touches the model.
///
/// A completion doesn't depend on its neighbours (decode_loop.h says how exactly), and is the one that generate() makes of a
/// prompt with the same id, seed and sample, up to rounding.
class LiveEngine {
  struct Inbox;

 public:
  /// `model` and `text` have to outlive the engine.
  LiveEngine(const models::LanguageModel& model, const text::TextBundle& text, const LiveOptions& options = {});

  /// Ends what runs: its on_error is called.
  ~LiveEngine();

  /// Cancels its request when it goes, unless that has ended: the slots are free at the next step.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { cancel(); }
    void cancel();

   private:
    friend LiveEngine;
    Ticket(std::weak_ptr<Inbox> inbox, std::uint64_t number) : inbox_(std::move(inbox)), number_(number) {}
    std::weak_ptr<Inbox> inbox_;
    std::uint64_t number_ = 0;
  };

  /// Throws rlhf::Error: usage for a setting out of range, bad_data for a prompt that does not fit (see context()), resource
  /// when as many completions are open as there are slots and places in the queue.
  [[nodiscard]] Ticket submit(LiveRequest request);

  /// Runs `work` on the engine's thread between two steps, for whatever else needs the model's threads: scoring, new
  /// weights. The future holds what it throws; waiting for it is for other threads than the engine's.
  std::future<void> between_steps(std::function<void()> work);

  LiveStatus status() const;

  /// Tokens that prompt and completion may have together.
  std::int64_t context() const { return context_; }

 private:
  std::int64_t vocabulary_, context_, most_open_;
  std::shared_ptr<Inbox> inbox_;
  std::thread thread_;
};

}  // namespace rlhf::generation
