#include "rlhf/data/encode.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/data/conversation.h"

namespace rlhf::data {
namespace {

/// Ids written by other programs may hold padding: any id beyond the vocabulary.
void drop_padding(TokenIds& ids, const text::TextBundle& text) {
  std::erase_if(ids, [size = text.tokenizer.size()](TokenId id) { return id >= size; });
}

bool starts_with(const TokenIds& ids, const TokenIds& prefix) {
  return ids.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), ids.begin());
}

bool doubled_bos(const TokenIds& ids, const text::TextBundle& text) {
  const auto bos = text.special.bos;
  return bos && ids.size() >= 2 && ids[0] == *bos && ids[1] == *bos;
}

struct Continuation {
  TokenIds ids;
  bool merged = false;
};

/// The tokens that follow `prompt`, given both texts. Usually what one-piece encoding puts there (so that tokenizers
/// that treat the start of a text specially see the right thing); where that merges across the boundary, the rest is
/// encoded alone, because at inference the prompt's tokens are fixed before the first one is sampled.
Continuation continuation(const TokenIds& prompt, TokenIds whole, std::string_view rest, const text::TextBundle& text) {
  if (!starts_with(whole, prompt)) return {text.tokenizer.encode(rest), true};
  whole.erase(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(prompt.size()));
  return {std::move(whole), false};
}

bool is_blank(const text::TextBundle& text, std::span<const TokenId> ids) {
  return text.tokenizer.decode(ids, false).find_first_not_of(" \n\r\t") == std::string::npos;
}

/// How many tokens of a rendered turn its author wrote, the stop token included: templates add a line break after it.
/// 0 when no stop token ends the turn.
std::size_t length_up_to_stop(const text::TextBundle& text, const TokenIds& turn) {
  const auto last = std::find_if(turn.rbegin(), turn.rend(), [&](TokenId id) { return text.is_stop(id); });
  if (last == turn.rend()) return 0;
  const auto length = static_cast<std::size_t>(turn.rend() - last);
  return is_blank(text, std::span(turn).subspan(length)) ? length : 0;
}

/// Ends a raw text's ids with a stop token; false when it has none in the end.
bool end_with_stop(TokenIds& ids, const text::TextBundle& text, const EncodeOptions& options) {
  if (!ids.empty() && text.is_stop(ids.back())) return true;
  if (!options.append_stop || text.special.stop.empty()) return false;
  ids.push_back(text.special.stop.front());
  return true;
}

void append(Example& example, const TokenIds& ids, bool learnt) {
  example.ids.insert(example.ids.end(), ids.begin(), ids.end());
  example.mask.insert(example.mask.end(), ids.size(), learnt ? 1 : 0);
}

/// What a prompt becomes: its text as the model meets it, and the tokens of that.
struct PromptTokens {
  std::string text;
  TokenIds ids;
};

PromptTokens prompt_tokens(const Prompt& prompt, const text::TextBundle& text) {
  if (!prompt.ids.empty()) {
    PromptTokens made{prompt.text, prompt.ids};
    drop_padding(made.ids, text);
    return made;
  }
  if (prompt.messages.empty()) return {prompt.text, prompt.text.empty() ? TokenIds{} : text.encode_text(prompt.text)};
  auto rendered = render(text, prompt.messages, true, prompt.row);
  auto ids = text.encode_rendered(rendered);
  return {std::move(rendered), std::move(ids)};
}

struct EncodedCompletion : Encoded {
  TokenIds ids;
};

/// A completion of a prompt that is encoded already.
EncodedCompletion encode_completion(const Prompt& source, const PromptTokens& prompt, const WrittenCompletion& written,
                                    const text::TextBundle& text, const EncodeOptions& options) {
  EncodedCompletion out;
  if (!written.ids.empty()) {
    out.ids = written.ids;
    drop_padding(out.ids, text);
    out.stopped = !out.ids.empty() && text.is_stop(out.ids.back());
  } else if (!written.messages.empty()) {
    auto all = source.messages;
    all.insert(all.end(), written.messages.begin(), written.messages.end());
    const auto whole = render(text, all, false, source.row);
    if (!whole.starts_with(prompt.text))
      return {{.problem = Problem::template_mismatch, .merged = false, .stopped = false}, {}};
    auto rest =
        continuation(prompt.ids, text.encode_rendered(whole), std::string_view(whole).substr(prompt.text.size()), text);
    const auto length = length_up_to_stop(text, rest.ids);
    if (length > 0) rest.ids.resize(length);
    out.ids = std::move(rest.ids);
    out.merged = rest.merged;
    out.stopped = length > 0;
  } else if (!written.text.empty()) {
    auto rest = continuation(prompt.ids, text.encode_text(prompt.text + written.text), written.text, text);
    out.ids = std::move(rest.ids);
    out.merged = rest.merged;
    out.stopped = end_with_stop(out.ids, text, options);
  }
  const bool silent = !written.messages.empty() &&
                      std::all_of(written.messages.begin(), written.messages.end(),
                                  [](const Message& turn) { return turn.content.empty() && turn.extra.is_null(); });
  if (out.ids.empty() || silent) out.problem = Problem::empty_completion;
  return out;
}

/// Every assistant turn of a conversation carries loss.
EncodedExample encode_conversation(const Demonstration& row, const text::TextBundle& text) {
  EncodedExample out;
  auto all = row.prompt.messages;
  all.insert(all.end(), row.completion.messages.begin(), row.completion.messages.end());
  const auto turns = learnt_turns(text, all, row.prompt.messages.size(), row.prompt.row);
  if (!turns) return {{.problem = Problem::template_mismatch, .merged = false, .stopped = false}, {}};
  std::string_view done;
  for (std::size_t i = 0; i < turns->size(); ++i) {
    const auto& turn = (*turns)[i];
    auto header = continuation(out.example.ids, text.encode_rendered(turn.before),
                               std::string_view(turn.before).substr(done.size()), text);
    append(out.example, header.ids, false);
    auto learnt = continuation(out.example.ids, text.encode_rendered(turn.with),
                               std::string_view(turn.with).substr(turn.before.size()), text);
    const auto length = length_up_to_stop(text, learnt.ids);
    if (length == 0) out.stopped = false;
    const TokenIds after(learnt.ids.begin() + static_cast<std::ptrdiff_t>(length == 0 ? learnt.ids.size() : length),
                         learnt.ids.end());
    learnt.ids.resize(learnt.ids.size() - after.size());
    append(out.example, learnt.ids, true);
    if (i + 1 < turns->size()) append(out.example, after, false);
    out.merged = out.merged || header.merged || learnt.merged;
    done = turn.with;
  }
  const bool silent = std::all_of(
      all.begin() + static_cast<std::ptrdiff_t>(row.prompt.messages.size()), all.end(),
      [](const Message& turn) { return turn.role != "assistant" || (turn.content.empty() && turn.extra.is_null()); });
  if (turns->empty())
    out.problem = Problem::no_supervised_token;
  else if (silent)
    out.problem = Problem::empty_completion;
  return out;
}

EncodedExample encode_plain(const Demonstration& row, const text::TextBundle& text, const EncodeOptions& options) {
  EncodedExample out;
  const auto prompt = prompt_tokens(row.prompt, text);
  auto completion = encode_completion(row.prompt, prompt, row.completion, text, options);
  static_cast<Encoded&>(out) = completion;
  append(out.example, prompt.ids, false);
  append(out.example, completion.ids, true);
  return out;
}

/// An rlhf::Error of the template, with the row's place in front.
template <class Work>
auto at_row(const std::string& where, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (where.empty() || error.category() == Category::usage) throw;
    throw Error({.category = error.category(),
                 .where = where,
                 .what = error.where() + ": " + error.problem(),
                 .fix = error.fix()});
  }
}

bool over(std::int64_t tokens, const EncodeOptions& options) {
  return options.max_tokens > 0 && tokens > options.max_tokens;
}

std::int64_t count(const TokenIds& ids) { return static_cast<std::int64_t>(ids.size()); }

}  // namespace

std::string_view problem_name(Problem problem) {
  static constexpr std::array<std::string_view, problem_count> names = {
      "empty_prompt",      "empty_completion", "too_long", "no_supervised_token", "missing_stop", "doubled_bos",
      "template_mismatch", "identical_items",  "duplicate"};
  return names[static_cast<std::size_t>(problem)];
}

void encode_prompt(Prompt& prompt, const text::TextBundle& text) {
  auto made = prompt_tokens(prompt, text);
  prompt.text = std::move(made.text);
  prompt.ids = std::move(made.ids);
}

void encode_prompts(std::vector<Prompt>& prompts, const text::TextBundle& text) {
  for (auto& prompt : prompts) {
    at_row("prompt " + prompt.id, [&] { encode_prompt(prompt, text); });
  }
}

EncodedPrompt encode(const Prompt& prompt, const text::TextBundle& text, const EncodeOptions& options) {
  EncodedPrompt out;
  out.prompt = prompt;
  at_row("prompt " + prompt.id, [&] { encode_prompt(out.prompt, text); });
  const auto& ids = out.prompt.ids;
  if (ids.empty())
    out.problem = Problem::empty_prompt;
  else if (doubled_bos(ids, text))
    out.problem = Problem::doubled_bos;
  else if (over(count(ids), options))
    out.problem = Problem::too_long;
  return out;
}

EncodedExample encode(const Demonstration& row, const text::TextBundle& text, const EncodeOptions& options) {
  auto out = at_row(row.where, [&] {
    const bool turns = !row.completion.messages.empty() && row.completion.ids.empty();
    return turns ? encode_conversation(row, text) : encode_plain(row, text, options);
  });
  auto& example = out.example;
  if (!example.mask.empty()) example.mask[0] = 0;  // nothing predicts the first token
  example.scored = count(example.ids) - 1;
  if (out.problem) return out;
  if (std::find(example.mask.begin(), example.mask.end(), 1) == example.mask.end())
    out.problem = Problem::no_supervised_token;
  else if (doubled_bos(example.ids, text))
    out.problem = Problem::doubled_bos;
  else if (over(count(example.ids), options))
    out.problem = Problem::too_long;
  return out;
}

EncodedComparison encode(const Preference& row, const text::TextBundle& text, const EncodeOptions& options) {
  EncodedComparison out;
  const auto prompt = at_row(row.where, [&] { return prompt_tokens(row.prompt, text); });
  out.comparison = {.prompt = prompt.ids, .items = {}, .best = row.best, .tie = row.tie, .strength = row.strength};
  auto& items = out.comparison.items;
  std::int64_t longest = 0;
  for (const auto& item : row.items) {
    auto encoded = at_row(row.where, [&] { return encode_completion(row.prompt, prompt, item, text, options); });
    if (encoded.problem) out.problem = encoded.problem;
    out.merged = out.merged || encoded.merged;
    out.stopped = out.stopped && encoded.stopped;
    longest = std::max(longest, count(prompt.ids) + count(encoded.ids));
    items.push_back(std::move(encoded.ids));
  }
  if (prompt.ids.empty()) out.problem = Problem::empty_prompt;
  if (out.problem) return out;
  if (doubled_bos(prompt.ids, text))
    out.problem = Problem::doubled_bos;
  else if (over(longest, options))
    out.problem = Problem::too_long;
  else if (std::all_of(items.begin(), items.end(), [&](const TokenIds& ids) { return ids == items.front(); }))
    out.problem = Problem::identical_items;
  return out;
}

EncodedRating encode(const RatedCompletion& row, const text::TextBundle& text, const EncodeOptions& options) {
  EncodedRating out;
  const auto prompt = at_row(row.where, [&] { return prompt_tokens(row.prompt, text); });
  auto completion =
      at_row(row.where, [&] { return encode_completion(row.prompt, prompt, row.completion, text, options); });
  static_cast<Encoded&>(out) = completion;
  out.rating = {.prompt = prompt.ids, .completion = std::move(completion.ids), .value = row.rating};
  if (prompt.ids.empty()) out.problem = Problem::empty_prompt;
  if (out.problem) return out;
  if (doubled_bos(prompt.ids, text))
    out.problem = Problem::doubled_bos;
  else if (over(count(prompt.ids) + count(out.rating.completion), options))
    out.problem = Problem::too_long;
  return out;
}

}  // namespace rlhf::data
