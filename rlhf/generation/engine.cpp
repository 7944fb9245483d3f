#include "rlhf/generation/engine.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/generation/decode_slots.h"
#include "rlhf/generation/stopping.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/kv_cache.h"

namespace rlhf::generation {
namespace {

/// A completion in the making.
struct Sequence {
  std::size_t prompt = 0;
  std::uint64_t key = 0;
  TokenIds seen;                   // prompt and completion; kept for the repetition penalty only
  std::optional<StopTexts> stops;  // only where there are stop texts
};

/// Prompts with the same ids: one prefill for all their sequences.
struct Group {
  const TokenIds* ids = nullptr;
  std::vector<std::size_t> sequences;
};

void require_room(const models::Shape& shape, const data::Prompt& prompt, const SamplingConfig& config) {
  const auto length = static_cast<std::int64_t>(prompt.ids.size());
  if (length == 0) {
    throw Error({.category = Category::bad_data,
                 .where = fmt::format("prompt \"{}\"", prompt.id),
                 .what = "has no tokens, so there is nothing to continue",
                 .fix = "Give it a text; for text from nothing, the model's BOS token."});
  }
  for (const auto id : prompt.ids) {
    if (id >= 0 && id < shape.vocabulary) continue;
    throw Error({.category = Category::bad_data,
                 .where = fmt::format("prompt \"{}\"", prompt.id),
                 .what = fmt::format("token {} is not in the model's vocabulary of {}", id, shape.vocabulary),
                 .fix = "Encode it with the tokenizer that belongs to this model."});
  }
  if (shape.context == 0 || length + config.max_new_tokens <= shape.context) return;
  const auto room = shape.context - length;
  throw Error({.category = Category::bad_data,
               .where = fmt::format("prompt \"{}\"", prompt.id),
               .what = fmt::format("{} tokens and max_new_tokens = {} do not fit into the model's context of {}", length,
                                   config.max_new_tokens, shape.context),
               .fix = room > 0 ? fmt::format("Shorten the prompt, or set max_new_tokens to {} or less.", room)
                               : "Shorten the prompt."});
}

class Generation {
 public:
  Generation(const models::LanguageModel& model, const text::TextBundle& text, std::span<const data::Prompt> prompts,
             const SamplingConfig& config, const GenerateOptions& options)
      : model_(model), text_(text), prompts_(prompts), config_(config), options_(options),
        stop_tokens_(stop_tokens(config, text.special)) {
    for (const auto& prompt : prompts) require_room(model.shape(), prompt, config);
    make_sequences();
    make_groups();
  }

  std::vector<data::Completion> run() {
    if (sequences_.empty()) return {};
    const at::NoGradGuard no_gradients;
    auto cache = make_cache();
    DecodeSlots slots(cache);
    while (finished_ < static_cast<std::int64_t>(sequences_.size())) {
      if (slots.any_free() && next_group_ < groups_.size()) prefill(cache, slots);
      if (!slots.running().empty()) decode(cache, slots);
    }
    return std::move(completions_);
  }

 private:
  void make_sequences() {
    std::map<std::string, int> samples_of;  // a prompt id that comes again goes on counting
    for (std::size_t i = 0; i < prompts_.size(); ++i) {
      for (std::int64_t n = 0; n < config_.num; ++n) {
        const int sample = samples_of[prompts_[i].id]++;
        const auto version = static_cast<std::uint64_t>(options_.policy_version);
        Sequence sequence{.prompt = i,
                          .key = derive(config_.seed, {version, hash(prompts_[i].id), static_cast<std::uint64_t>(sample)})};
        if (config_.repetition_penalty != 1) sequence.seen = prompts_[i].ids;
        if (!config_.stop.empty()) sequence.stops.emplace(text_.tokenizer, config_.stop);
        sequences_.push_back(std::move(sequence));
        completions_.push_back(
            {.prompt_id = prompts_[i].id, .sample = sample, .policy_version = options_.policy_version});
      }
    }
  }

  void make_groups() {
    std::map<TokenIds, std::size_t> known;
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      const auto& ids = prompts_[sequences_[i].prompt].ids;
      const auto [at, added] = known.try_emplace(ids, groups_.size());
      if (added) groups_.push_back({.ids = &ids});
      groups_[at->second].sequences.push_back(i);
    }
    // Long prompts first: passes fill up evenly, and the short ones pad out the end.
    std::stable_sort(groups_.begin(), groups_.end(), [](auto& a, auto& b) { return a.ids->size() > b.ids->size(); });
  }

  models::KvCache make_cache() const {
    const auto& shape = model_.shape();
    const auto capacity = static_cast<std::int64_t>(groups_.front().ids->size()) + config_.max_new_tokens;
    const auto bytes_per_slot = 2 * static_cast<std::int64_t>(sizeof(float)) * shape.layers * capacity * shape.kv_heads * shape.head_dim;
    auto slots = options_.slots;
    if (slots <= 0) slots = std::clamp<std::int64_t>(options_.cache_bytes / bytes_per_slot, 1, 64);
    slots = std::min<std::int64_t>(slots, static_cast<std::int64_t>(sequences_.size()));
    return {shape.layers, slots, capacity, shape.kv_heads, shape.head_dim};
  }

  /// One pass over as many waiting prompts as free slots and the token budget allow, and their sequences' first tokens.
  void prefill(models::KvCache& cache, DecodeSlots& slots) {
    std::vector<TokenIds> prompts;
    std::vector<std::int64_t> taken, last_rows;
    const auto first_group = next_group_;
    std::int64_t tokens = 0;
    while (slots.any_free() && next_group_ < groups_.size()) {
      const auto& ids = *groups_[next_group_].ids;
      const auto length = static_cast<std::int64_t>(ids.size());
      if (!prompts.empty() && tokens + length > options_.prefill_tokens) break;
      prompts.push_back(ids);
      taken.push_back(slots.take());
      tokens += length;
      last_rows.push_back(tokens - 1);
      ++next_group_;
    }
    cache.select(taken);
    const auto hidden = forward(models::pack(prompts), cache);
    const auto logits = head(at::index_select(hidden, 0, at::tensor(last_rows, at::kLong)));
    std::vector<std::size_t> drawing;
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      for (const auto sequence : groups_[first_group + i].sequences) {
        drawing.push_back(sequence);
        rows.push_back(static_cast<std::int64_t>(i));
      }
    }
    const auto ended = draw(logits, drawing, rows);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      auto open = groups_[first_group + i].sequences;
      std::erase_if(open, [&](auto sequence) { return std::find(ended.begin(), ended.end(), sequence) != ended.end(); });
      slots.begin_group(first_group + i, taken[i], open);
    }
  }

  /// One more token for every running sequence.
  void decode(models::KvCache& cache, DecodeSlots& slots) {
    std::vector<std::size_t> drawing;
    std::vector<std::int64_t> selected, rows;
    models::Batch batch{.starts = {0}};
    const auto count = static_cast<std::int64_t>(slots.running().size());
    batch.ids = at::empty({count}, at::kLong);
    batch.positions = at::empty({count}, at::kLong);
    for (const auto& running : slots.running()) {
      const auto row = static_cast<std::int64_t>(drawing.size());
      batch.ids.mutable_data_ptr<std::int64_t>()[row] = completions_[running.sequence].ids.back();
      batch.positions.mutable_data_ptr<std::int64_t>()[row] = cache.length(running.slot);
      batch.starts.push_back(row + 1);
      drawing.push_back(running.sequence);
      selected.push_back(running.slot);
      rows.push_back(row);
    }
    cache.select(std::move(selected));
    slots.end(draw(head(forward(batch, cache)), drawing, rows));
  }

  Tensor forward(const models::Batch& batch, models::KvCache& cache) const {
    return model_.forward(batch, {.cache = &cache, .adapters = options_.adapters});
  }

  /// Logits [rows, vocabulary], float32, of the hidden states that predict.
  Tensor head(const Tensor& hidden) const {
    return models::decoding_product(hidden.to(at::kFloat), model_.output_weight().to(at::kFloat));
  }

  /// Draws a token for each sequence of `drawing` from its row and returns the sequences that ended with it.
  std::vector<std::size_t> draw(const Tensor& logits, const std::vector<std::size_t>& drawing,
                                const std::vector<std::int64_t>& rows) {
    std::vector<DrawKey> keys;
    for (std::size_t i = 0; i < drawing.size(); ++i) {
      const auto& sequence = sequences_[drawing[i]];
      keys.push_back({.row = rows[i], .key = sequence.key, .index = completions_[drawing[i]].ids.size(), .seen = sequence.seen});
    }
    const auto draws = draw_tokens(logits.const_data_ptr<float>(), logits.size(1), keys, config_);
    std::vector<std::size_t> ended;
    for (std::size_t i = 0; i < drawing.size(); ++i) {
      if (append(drawing[i], draws[i])) ended.push_back(drawing[i]);
    }
    finished_ += static_cast<std::int64_t>(ended.size());
    tokens_ += static_cast<std::int64_t>(draws.size());
    if (options_.progress) options_.progress({finished_, static_cast<std::int64_t>(sequences_.size()), tokens_});
    return ended;
  }

  /// True when the completion ends with this token.
  bool append(std::size_t index, const Draw& draw) {
    auto& sequence = sequences_[index];
    auto& completion = completions_[index];
    completion.ids.push_back(draw.token);
    completion.raw_logprobs.push_back(draw.raw_logprob);
    completion.sampled_logprobs.push_back(draw.sampled_logprob);
    if (config_.repetition_penalty != 1) sequence.seen.push_back(draw.token);
    if (options_.on_token) options_.on_token(sequence.prompt, completion.sample, draw.token);
    const std::span<const TokenId> ids(completion.ids);
    if (stop_tokens_.contains(draw.token)) {
      completion.finish = data::FinishReason::stop;
      completion.text = text_.tokenizer.decode(ids.first(ids.size() - 1));
    } else if (sequence.stops && sequence.stops->push(draw.token)) {
      completion.finish = data::FinishReason::stop;
      completion.text = sequence.stops->text_before();
    } else if (static_cast<std::int64_t>(ids.size()) == config_.max_new_tokens) {
      completion.finish = data::FinishReason::length;
      completion.text = text_.tokenizer.decode(ids);
    } else {
      return false;
    }
    sequence.stops.reset();
    return true;
  }

  const models::LanguageModel& model_;
  const text::TextBundle& text_;
  std::span<const data::Prompt> prompts_;
  const SamplingConfig& config_;
  const GenerateOptions& options_;
  std::unordered_set<TokenId> stop_tokens_;
  std::vector<Sequence> sequences_;            // by prompt, then sample
  std::vector<data::Completion> completions_;  // the same order
  std::vector<Group> groups_;                  // in the order they are prefilled
  std::size_t next_group_ = 0;
  std::int64_t finished_ = 0, tokens_ = 0;
};

}  // namespace

std::vector<data::Completion> generate(const models::LanguageModel& model, const text::TextBundle& text,
                                       std::span<const data::Prompt> prompts, const SamplingConfig& config,
                                       const GenerateOptions& options) {
  config.validate();
  return Generation(model, text, prompts, config, options).run();
}

}  // namespace rlhf::generation
