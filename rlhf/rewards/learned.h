#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rlhf/data/example.h"
#include "rlhf/data/written.h"
#include "rlhf/models/model_files.h"

namespace rlhf::rewards {

/// What a model says about rows: a reward model its score (the head at each row's `scored` token), a language model the sum
/// of logprobs over the row's mask, nats. Without gradients, packed into passes of at most `batch_tokens` tokens, one row at
/// least.
std::vector<double> model_scores(const models::LoadedModel& loaded, std::span<const data::Example> rows, std::int64_t batch_tokens = 4096);

/// The end of the pass that begins with row `begin`, for callers that report in between.
std::size_t end_of_pass(std::span<const data::Example> rows, std::size_t begin, std::int64_t batch_tokens);

/// A row for model_scores. Throws rlhf::Error (bad_data, naming row.where) for one that cannot be scored: no completion, a
/// prompt the template rewrites, more tokens than the model's context. A completion that was cut off can be.
data::Example scorable(const data::Demonstration& row, const models::LoadedModel& loaded);

}  // namespace rlhf::rewards
