#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/text/bundle.h"

namespace rlhf::text {

nlohmann::json reference_json(const std::string& name);  // tests/reference/text/<name>
std::string reference_text(const std::string& name);

/// The metadata of the real SmolLM2 GGUF file (see make_smollm2_ids.py).
const GgufTokenizer& smollm2();
const TextBundle& smollm2_bundle();

/// Byte-level BPE trained on a few sentences: all 256 bytes, <|im_start|> = 0, <|im_end|> = 1.
const Tokenizer& tiny_tokenizer();

/// A SentencePiece vocabulary: <unk>, <s>, </s>, 256 bytes, then `pieces` with scores 0, -1, -2, ...
GgufTokenizer pieces_vocabulary(const std::vector<std::string>& pieces);

/// What the Error thrown by `work` says, all parts joined; "" if it throws none.
template <class Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.where() + " | " + error.problem() + " | " + error.fix();
  }
  return "";
}

/// A folder that is gone at the end of the scope.
struct TemporaryFolder {
  TemporaryFolder();
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const;
  std::filesystem::path path;
};

}  // namespace rlhf::text
