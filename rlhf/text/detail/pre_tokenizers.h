#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::text::detail {

/// One way of cutting text before byte-level BPE, with the names it goes by in `tokenizer.ggml.pre`.
struct PreTokenizer {
  std::vector<std::string> names;  // the first is the one to write
  nlohmann::json steps;            // `pre_tokenizer` of tokenizer.json
  nlohmann::json normalizer{};     // null = none
  bool ignore_merges = false;      // a whole word that is a token stays one, whatever the merges say
  bool adds_bos = false;           // unless the file says otherwise
};

const std::vector<PreTokenizer>& pre_tokenizers();

/// Null if there is none of this name; "" is "default".
const PreTokenizer* find_pre_tokenizer(std::string_view name);

}  // namespace rlhf::text::detail
