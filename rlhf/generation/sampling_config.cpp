#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/fields.h"
#include "rlhf/generation/sampler.h"

namespace rlhf::generation {
namespace {

template <class T>
void require(bool holds, const char* field, const T& value, const char* range, const char* fix = "") {
  if (holds) return;
  throw Error({.category = Category::usage,
               .where = field,
               .what = fmt::format("is {}, but has to be {}", value, range),
               .fix = fix});
}

}  // namespace

void SamplingConfig::fields(Fields& f) {
  f.field("max_new_tokens", max_new_tokens, "tokens a completion may have, the stop token included");
  f.field("greedy", greedy, "always take the most probable token");
  f.field("temperature", temperature, "logits are divided by it; > 0");
  f.field("top_k", top_k, "draw from the k most probable tokens only; 0 = no limit");
  f.field("top_p", top_p, "draw from the smallest set of tokens with at least this mass; 1 = all");
  f.field("min_p", min_p, "drop tokens below this share of the best token's probability; 0 = none");
  f.field("repetition_penalty", repetition_penalty, "above 1: tokens already seen become less likely; 1 = off");
  f.field("presence_penalty", presence_penalty, "taken from the logit of each token that has come; 0 = off");
  f.field("frequency_penalty", frequency_penalty, "the same, once for each time it has come; 0 = off");
  f.field("stop", stop, "texts that end a completion and are left out of it");
  f.field("stop_ids", stop_ids, "token ids that end a completion, besides the model's own");
  f.field("ignore_eos", ignore_eos, "the model's own stop tokens do not end a completion");
  f.field("num", num, "completions per prompt");
  f.field("seed", seed, "seed of every draw");
}

void SamplingConfig::validate() const {
  require(max_new_tokens > 0, "max_new_tokens", max_new_tokens, "at least 1");
  require(temperature > 0, "temperature", temperature, "above 0", "For the most probable token use greedy (--greedy).");
  require(top_k >= 0, "top_k", top_k, "0 (no limit) or more");
  require(top_p > 0 && top_p <= 1, "top_p", top_p, "above 0 and at most 1");
  require(min_p >= 0 && min_p <= 1, "min_p", min_p, "between 0 and 1");
  require(repetition_penalty > 0, "repetition_penalty", repetition_penalty, "above 0", "1 switches it off.");
  require(presence_penalty >= -2 && presence_penalty <= 2, "presence_penalty", presence_penalty, "between -2 and 2");
  require(frequency_penalty >= -2 && frequency_penalty <= 2, "frequency_penalty", frequency_penalty, "between -2 and 2");
  require(num > 0, "num", num, "at least 1");
  for (const auto& text : stop) require(!text.empty(), "stop", "empty", "a text", "An empty text would end every completion.");
}

bool reads_seen(const SamplingConfig& config) {
  return config.repetition_penalty != 1 || config.presence_penalty != 0 || config.frequency_penalty != 0;
}

}  // namespace rlhf::generation
