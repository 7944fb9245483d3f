#pragma once
#include <string>
#include <vector>

#include "rlhf/text/bundle.h"

namespace rlhf::data {

/// A byte-level BPE learnt from a few sentences, with ChatML. "<|im_end|>" is its stop token.
inline text::TextBundle tiny_text(const std::string& chat_template = text::chatml_template()) {
  static const text::Tokenizer tokenizer = [] {
    const std::vector<std::string> texts = {"The sky is blue. The sea is blue too, and the day is long.",
                                            "What colour is the sky? What colour is the sea? user assistant system"};
    const std::vector<std::string> special = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    return text::train_bpe(texts, 330, special);
  }();
  return text::TextBundle::from_tokenizer(tokenizer, {{"bos_token", "<|im_start|>"}, {"eos_token", "<|im_end|>"}},
                                          chat_template);
}

/// The text of the tokens that carry loss, special tokens spelt out.
inline std::string learnt_text(const text::TextBundle& text, const TokenIds& ids,
                               const std::vector<std::uint8_t>& mask) {
  TokenIds learnt;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (mask[i]) learnt.push_back(ids[i]);
  }
  return text.tokenizer.decode(learnt, false);
}

}  // namespace rlhf::data
