#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "rlhf/data/comparison.h"
#include "rlhf/data/example.h"
#include "rlhf/data/prompt.h"
#include "rlhf/data/rating.h"
#include "rlhf/data/written.h"
#include "rlhf/text/bundle.h"

namespace rlhf::data {

/// Why a row cannot be used. Rows are never cut to fit: a cut row teaches something its author did not write.
enum class Problem {
  empty_prompt,         // nothing to condition on
  empty_completion,     // nothing to learn
  too_long,             // more than max_tokens
  no_supervised_token,  // no token would carry loss
  missing_stop,         // what is learnt does not end with a stop token: a model trained on it never stops
  doubled_bos,          // template and tokenizer both wrote the beginning-of-text token
  template_mismatch,    // the chat template rewrites the prompt once the completion is there
  identical_items,      // all completions of a comparison are the same
  duplicate,            // same tokens as an earlier row
};
std::string_view problem_name(Problem problem);
inline constexpr int problem_count = 9;

struct EncodeOptions {
  std::int64_t max_tokens = 0;  // longest prompt and completion together; 0 = no limit
  bool append_stop = true;      // end raw-text completions with the first stop token; templates write their own
};

/// Fills Prompt::text and Prompt::ids: messages go through the chat template with the generation header, a raw text is
/// used as it is. The text is encoded once, special tokens in it parsed; a beginning-of-text token is added to raw
/// texts only, and only where the tokenizer itself says so. Ids that are already there stay.
///
/// Training, sampling, scoring and serving all call this one function. Throws rlhf::Error when a conversation meets a
/// model without chat template.
void encode_prompt(Prompt& prompt, const text::TextBundle& text);
void encode_prompts(std::vector<Prompt>& prompts, const text::TextBundle& text);

/// A row after encoding: usable unless `problem` says why not.
struct Encoded {
  std::optional<Problem> problem;
  bool merged = false;  // encoding prompt and completion in one piece would have given other tokens at their boundary
  bool stopped = true;  // each thing learnt ends with a stop token
};

struct EncodedPrompt : Encoded {
  Prompt prompt;
};

struct EncodedExample : Encoded {
  Example example;  // `scored` is the last token
};

struct EncodedComparison : Encoded {
  Comparison comparison;
};

struct EncodedRating : Encoded {
  Rating rating;
};

/// ids = prompt as inference meets it, then completion. The mask covers the completion (or every assistant turn) with
/// its stop token; the first token of a row never carries loss, since nothing comes before it.
EncodedPrompt encode(const Prompt& prompt, const text::TextBundle& text, const EncodeOptions& options = {});
EncodedExample encode(const Demonstration& row, const text::TextBundle& text, const EncodeOptions& options = {});
EncodedComparison encode(const Preference& row, const text::TextBundle& text, const EncodeOptions& options = {});
EncodedRating encode(const RatedCompletion& row, const text::TextBundle& text, const EncodeOptions& options = {});

}  // namespace rlhf::data
