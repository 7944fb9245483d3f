#include "rlhf/generation/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "rlhf/generation/decode_loop.h"

namespace rlhf::generation {
namespace {

class Generation {
 public:
  Generation(const models::LanguageModel& model, const text::TextBundle& text, std::span<const data::Prompt> prompts,
             const SamplingConfig& config, const GenerateOptions& options)
      : model_(model), text_(text), prompts_(prompts), sampling_(std::make_shared<const SamplingConfig>(config)), options_(options) {
    for (const auto& prompt : prompts) {
      const auto& shape = model.shape();
      require_room(fmt::format("prompt \"{}\"", prompt.id), prompt.ids, config.max_new_tokens, shape.vocabulary, shape.context);
    }
    make_work();
  }

  std::vector<data::Completion> run() {
    if (completions_.empty()) return {};
    std::int64_t finished = 0, tokens = 0;
    LoopEvents events{.token = [&](const DrawnToken& drawn) {
                        ++tokens;
                        if (options_.on_token) options_.on_token(prompt_of(drawn.sequence), completions_[drawn.sequence].sample, drawn.draw.token);
                      },
                      .end = [&](std::size_t index, data::Completion made) {
                        ++finished;
                        keep(completions_[index], std::move(made));
                      }};
    DecodeLoop loop(model_, text_, loop_options(), std::move(events));
    for (auto& work : work_) loop.add(std::move(work));
    while (!loop.idle()) {
      loop.step();
      if (options_.progress) options_.progress({finished, std::ssize(completions_), tokens});
    }
    return std::move(completions_);
  }

 private:
  std::size_t prompt_of(std::size_t index) const { return index / static_cast<std::size_t>(sampling_->num); }

  static void keep(data::Completion& completion, data::Completion made) {
    completion.ids = std::move(made.ids);
    completion.raw_logprobs = std::move(made.raw_logprobs);
    completion.sampled_logprobs = std::move(made.sampled_logprobs);
    completion.finish = made.finish;
    completion.text = std::move(made.text);
  }

  /// Sequences are numbered by prompt, then sample, as the completions are; those of prompts with the same ids share one work.
  void make_work() {
    std::map<std::string, int> samples_of;  // a prompt id that comes again goes on counting
    std::map<TokenIds, std::size_t> known;
    for (const auto& prompt : prompts_) {
      const auto [at, added] = known.try_emplace(prompt.ids, work_.size());
      if (added) work_.push_back({.prompt = prompt.ids, .sampling = sampling_});
      for (std::int64_t n = 0; n < sampling_->num; ++n) {
        const int sample = samples_of[prompt.id]++;
        const auto key = draw_key(sampling_->seed, options_.policy_version, prompt.id, sample);
        work_[at->second].sequences.push_back({completions_.size(), key});
        completions_.push_back({.prompt_id = prompt.id, .sample = sample, .policy_version = options_.policy_version});
      }
    }
    // Long prompts first: passes fill up evenly, and the short ones pad out the end.
    std::stable_sort(work_.begin(), work_.end(), [](auto& a, auto& b) { return a.prompt.size() > b.prompt.size(); });
  }

  LoopOptions loop_options() const {
    const auto& shape = model_.shape();
    const auto capacity = std::ssize(work_.front().prompt) + sampling_->max_new_tokens;
    const auto bytes_per_slot = 2 * static_cast<std::int64_t>(sizeof(float)) * shape.layers * capacity * shape.kv_heads * shape.head_dim;
    auto slots = options_.slots;
    if (slots <= 0) slots = std::clamp<std::int64_t>(options_.cache_bytes / bytes_per_slot, 1, 64);
    slots = std::min<std::int64_t>(slots, std::ssize(completions_));
    return {.slots = slots, .capacity = capacity, .prefill_tokens = options_.prefill_tokens, .adapters = options_.adapters};
  }

  const models::LanguageModel& model_;
  const text::TextBundle& text_;
  std::span<const data::Prompt> prompts_;
  std::shared_ptr<const SamplingConfig> sampling_;
  const GenerateOptions& options_;
  std::vector<data::Completion> completions_;  // by prompt, then sample
  std::vector<Work> work_;                     // in the order it is prefilled
};

}  // namespace

std::vector<data::Completion> generate(const models::LanguageModel& model, const text::TextBundle& text,
                                       std::span<const data::Prompt> prompts, const SamplingConfig& config,
                                       const GenerateOptions& options) {
  config.validate();
  return Generation(model, text, prompts, config, options).run();
}

}  // namespace rlhf::generation
