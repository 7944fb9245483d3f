#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/text/detail/gguf_pieces.h"
#include "rlhf/text/detail/pre_tokenizers.h"
#include "rlhf/text/gguf_tokenizer.h"

namespace rlhf::text {

using detail::GgufType;
using nlohmann::json;

namespace {

[[noreturn]] void not_expressible(const std::string& what) {
  throw Error({.category = Category::bad_data,
               .where = "GGUF export of the tokenizer",
               .what = what,
               .fix = "Export to an HF directory instead."});
}

/// `trim_offsets` only moves offsets, which no id depends on.
json without_offsets(json steps) {
  if (steps.is_object()) steps.erase("trim_offsets");
  if (steps.is_structured()) {
    for (json& step : steps) step = without_offsets(std::move(step));
  }
  return steps;
}

const detail::PreTokenizer& recognise(const json& file) {
  const bool ignore_merges = file["model"].value("ignore_merges", false);
  for (const auto& known : detail::pre_tokenizers()) {
    if (known.ignore_merges == ignore_merges && file["normalizer"] == known.normalizer &&
        without_offsets(file["pre_tokenizer"]) == without_offsets(known.steps)) {
      return known;
    }
  }
  not_expressible("its pre-tokenizer is none of those with a name in GGUF files that are known here: " +
                  file["pre_tokenizer"].dump());
}

std::string merge_text(const json& merge) {
  return merge.is_string() ? merge.get<std::string>() : merge[0].get<std::string>() + " " + merge[1].get<std::string>();
}

}  // namespace

GgufTokenizer gguf_metadata(const Tokenizer& tokenizer) {
  const json file = json::parse(tokenizer.to_json());
  if (file["model"]["type"] != "BPE" || tokenizer.decoder_kind() != DecoderKind::byte_level) {
    not_expressible("it is " + file["model"]["type"].dump() + " and not a byte-level BPE");
  }
  GgufTokenizer gguf{.model = "gpt2", .pre = recognise(file).names.front()};
  for (std::int64_t id = 0; id < tokenizer.size(); ++id) {
    gguf.tokens.push_back("[PAD" + std::to_string(id) + "]");  // an id without a token keeps its place
    gguf.token_types.push_back(static_cast<std::int32_t>(GgufType::unused));
  }
  const auto place = [&](const std::string& token, std::size_t id, GgufType type) {
    gguf.tokens.at(id) = token;
    gguf.token_types.at(id) = static_cast<std::int32_t>(type);
  };
  for (const auto& [token, id] : file["model"]["vocab"].items()) place(token, id, GgufType::normal);
  for (const json& added : file["added_tokens"]) {
    place(added["content"], added["id"], added["special"] ? GgufType::control : GgufType::user_defined);
  }
  for (const json& merge : file["model"]["merges"]) gguf.merges.push_back(merge_text(merge));
  gguf.add_space_prefix = false;
  return gguf;
}

}  // namespace rlhf::text
