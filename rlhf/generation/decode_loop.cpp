#include "rlhf/generation/decode_loop.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/models/batch.h"

namespace rlhf::generation {

void require_room(const std::string& where, const TokenIds& prompt, std::int64_t max_new_tokens,
                  std::int64_t vocabulary, std::int64_t context) {
  const auto refuse = [&](std::string what, std::string fix) {
    throw Error({.category = Category::bad_data, .where = where, .what = std::move(what), .fix = std::move(fix)});
  };
  const auto length = std::ssize(prompt);
  if (length == 0)
    refuse("has no tokens, so there is nothing to continue",
           "Give it a text; for text from nothing, the model's BOS token.");
  for (const auto id : prompt) {
    if (id >= 0 && id < vocabulary) continue;
    refuse(fmt::format("token {} is not in the model's vocabulary of {}", id, vocabulary),
           "Encode it with the tokenizer that belongs to this model.");
  }
  if (context == 0 || length + max_new_tokens <= context) return;
  refuse(fmt::format("{} tokens and max_new_tokens = {} do not fit into the model's context of {}", length,
                     max_new_tokens, context),
         length < context ? fmt::format("Shorten the prompt, or set max_new_tokens to {} or less.", context - length)
                          : "Shorten the prompt.");
}

std::uint64_t draw_key(std::uint64_t seed, std::int64_t policy_version, std::string_view prompt_id, int sample) {
  return derive(seed,
                {static_cast<std::uint64_t>(policy_version), hash(prompt_id), static_cast<std::uint64_t>(sample)});
}

DecodeLoop::DecodeLoop(const models::LanguageModel& model, const text::TextBundle& text, const LoopOptions& options,
                       LoopEvents events)
    : model_(model),
      text_(text),
      options_(options),
      events_(std::move(events)),
      cache_(model.shape().layers, options.slots, options.capacity, model.shape().kv_heads, model.shape().head_dim, options.seldom_full),
      slots_(cache_) {}

void DecodeLoop::add(Work work) {
  auto stops = stop_tokens(*work.sampling, text_.special);
  const auto task = std::make_shared<const Task>(Task{std::move(work), std::move(stops)});
  const auto& asked = task->work;
  Waiting waiting{.task = task, .group = next_group_++};
  for (const auto& [id, key] : asked.sequences) {
    Sequence sequence{.task = task, .key = key};
    if (reads_seen(*asked.sampling)) sequence.seen = asked.prompt;
    if (asked.with_text || !asked.sampling->stop.empty()) sequence.text.emplace(text_.tokenizer, asked.sampling->stop);
    if (asked.format) sequence.json.emplace(asked.format);
    sequences_.emplace(id, std::move(sequence));
    waiting.sequences.push_back(id);
  }
  waiting_.push_back(std::move(waiting));
}

void DecodeLoop::cancel(std::size_t sequence) {
  if (sequences_.erase(sequence) == 0) return;
  for (auto& waiting : waiting_) {
    if (std::erase(waiting.sequences, sequence) == 0) continue;
    if (!waiting.sequences.empty()) return;
    if (waiting.slot >= 0) slots_.begin_group(waiting.group, waiting.slot, {});
    std::erase_if(waiting_, [&](auto& each) { return each.group == waiting.group; });
    return;
  }
  slots_.end({sequence});
}

std::size_t DecodeLoop::prompts_waiting() const {
  return std::count_if(waiting_.begin(), waiting_.end(), [](auto& each) { return each.slot < 0; });
}

void DecodeLoop::step() {
  const at::NoGradGuard no_gradients;
  if (!waiting_.empty()) prefill();
  if (!slots_.running().empty()) decode();
}

/// One pass over the next pieces of waiting prompts, and the first tokens of those that are through.
void DecodeLoop::prefill() {
  std::vector<Piece> pieces;
  std::vector<std::int64_t> last_rows, rows;
  std::vector<std::size_t> drawing;
  std::int64_t tokens = 0;
  for (auto& each : waiting_) {
    if (each.slot < 0 && !slots_.any_free()) break;
    const auto left = std::span(each.task->work.prompt).subspan(each.done);
    const auto length = options_.piece > 0 ? std::min(options_.piece, std::ssize(left)) : std::ssize(left);
    if (!pieces.empty() && tokens + length > options_.prefill_tokens) break;
    if (each.slot < 0) each.slot = slots_.take();
    pieces.push_back({each.slot, left.first(length)});
    each.done += length;
    tokens += length;
    if (length < std::ssize(left)) continue;
    for (const auto sequence : each.sequences) {
      drawing.push_back(sequence);
      rows.push_back(std::ssize(last_rows));
    }
    last_rows.push_back(tokens - 1);
  }
  if (pieces.empty()) return;
  const auto hidden = forward(pieces);
  if (drawing.empty()) return;
  const auto ended = draw(head(at::index_select(hidden, 0, at::tensor(last_rows, at::kLong))), drawing, rows);
  for (const auto& each : waiting_) {
    if (each.done == std::ssize(each.task->work.prompt)) begin(each, ended);
  }
  std::erase_if(waiting_, [](auto& each) { return each.done == std::ssize(each.task->work.prompt); });
}

void DecodeLoop::begin(const Waiting& prefilled, const std::vector<std::size_t>& ended) {
  auto open = prefilled.sequences;
  std::erase_if(open, [&](auto sequence) { return std::find(ended.begin(), ended.end(), sequence) != ended.end(); });
  slots_.begin_group(prefilled.group, prefilled.slot, open);
}

/// One more token for every running sequence.
void DecodeLoop::decode() {
  std::vector<Piece> pieces;
  std::vector<std::size_t> drawing;
  for (const auto& running : slots_.running()) {
    pieces.push_back({running.slot, std::span(sequences_.at(running.sequence).completion.ids).last(1)});
    drawing.push_back(running.sequence);
  }
  std::vector<std::int64_t> rows(drawing.size());
  std::iota(rows.begin(), rows.end(), 0);
  slots_.end(draw(head(forward(pieces)), drawing, rows));
}

/// Hidden states of tokens that continue their slots.
Tensor DecodeLoop::forward(std::span<const Piece> pieces) {
  models::Batch batch{.starts = {0}};
  std::vector<std::int64_t> selected;
  for (const auto& piece : pieces) {
    batch.starts.push_back(batch.starts.back() + std::ssize(piece.ids));
    selected.push_back(piece.slot);
  }
  batch.ids = at::empty({batch.tokens()}, at::kLong);
  batch.positions = at::empty({batch.tokens()}, at::kLong);
  auto* ids = batch.ids.mutable_data_ptr<std::int64_t>();
  auto* positions = batch.positions.mutable_data_ptr<std::int64_t>();
  for (const auto& piece : pieces) {
    ids = std::copy(piece.ids.begin(), piece.ids.end(), ids);
    std::iota(positions, positions + piece.ids.size(), cache_.length(piece.slot));
    positions += piece.ids.size();
  }
  cache_.select(std::move(selected));
  return model_.forward(batch, {.cache = &cache_, .adapters = options_.adapters});
}

/// Logits [rows, vocabulary], float32, of the hidden states that predict.
Tensor DecodeLoop::head(const Tensor& hidden) const {
  return models::decoding_product(hidden.to(at::kFloat), model_.output_weight().to(at::kFloat));
}

/// Draws a token for each sequence of `drawing` from its row and returns the sequences that ended with it.
std::vector<std::size_t> DecodeLoop::draw(const Tensor& logits, const std::vector<std::size_t>& drawing,
                                          const std::vector<std::int64_t>& rows) {
  std::vector<DrawKey> keys;
  std::vector<std::shared_ptr<const TokenSet>> allowed;  // keeps them alive
  for (std::size_t i = 0; i < drawing.size(); ++i) {
    const auto& sequence = sequences_.at(drawing[i]);
    const auto& work = sequence.task->work;
    allowed.push_back(sequence.json ? sequence.json->allowed() : nullptr);
    keys.push_back({.row = rows[i],
                    .key = sequence.key,
                    .index = sequence.completion.ids.size(),
                    .config = work.sampling.get(),
                    .seen = sequence.seen,
                    .prompt = sequence.seen.empty() ? 0 : work.prompt.size(),
                    .allowed = allowed.back().get(),
                    .top = work.top_logprobs});
  }
  const auto draws = draw_tokens(logits.const_data_ptr<float>(), logits.size(1), keys);
  std::vector<std::size_t> ended;
  for (std::size_t i = 0; i < drawing.size(); ++i) {
    const auto at = sequences_.find(drawing[i]);
    if (!append(drawing[i], at->second, draws[i])) continue;
    ended.push_back(drawing[i]);
    auto completion = std::move(at->second.completion);
    sequences_.erase(at);
    events_.end(drawing[i], std::move(completion));
  }
  return ended;
}

/// True when the completion ends with this token.
bool DecodeLoop::append(std::size_t id, Sequence& sequence, const Draw& draw) {
  auto& completion = sequence.completion;
  const auto& sampling = *sequence.task->work.sampling;
  completion.ids.push_back(draw.token);
  completion.raw_logprobs.push_back(draw.raw_logprob);
  completion.sampled_logprobs.push_back(draw.sampled_logprob);
  if (!sequence.seen.empty()) sequence.seen.push_back(draw.token);
  const bool stop_token = sequence.task->stop_tokens.contains(draw.token);
  const bool stop_text = !stop_token && sequence.text && sequence.text->push(draw.token);
  const bool whole_json = sequence.json && sequence.json->push(draw.token);
  const bool stopped = stop_token || stop_text || whole_json;
  const bool ended = stopped || std::ssize(completion.ids) == sampling.max_new_tokens;
  if (ended) {
    completion.finish = stopped ? data::FinishReason::stop : data::FinishReason::length;
    const auto shown = std::span<const TokenId>(completion.ids).first(completion.ids.size() - (stop_token ? 1 : 0));
    completion.text = sequence.text ? sequence.text->finish() : text_.tokenizer.decode(shown);
  }
  if (events_.token) events_.token({id, draw, sequence.task->work.with_text ? sequence.text->take() : ""});
  return ended;
}

}  // namespace rlhf::generation
