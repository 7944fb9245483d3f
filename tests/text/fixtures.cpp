#include "tests/text/fixtures.h"

#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

namespace rlhf::text {

using nlohmann::json;

namespace {

std::string path_of(const std::string& name) { return std::string(RLHF_SOURCE_DIR) + "/tests/reference/text/" + name; }

std::string unzip(const std::string& path) {
  std::string text;
  char part[1 << 16];
  gzFile file = gzopen(path.c_str(), "rb");
  for (int read = 0; (read = gzread(file, part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(read));
  gzclose(file);
  return text;
}

}  // namespace

std::string reference_text(const std::string& name) {
  std::ifstream file(path_of(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

json reference_json(const std::string& name) { return json::parse(reference_text(name)); }

const GgufTokenizer& smollm2() {
  static const GgufTokenizer gguf = [] {
    const json file = json::parse(unzip(path_of("smollm2_vocabulary.json.gz")));
    GgufTokenizer made{.model = "gpt2", .pre = file["pre"]};
    made.tokens = file["first_tokens"].get<std::vector<std::string>>();
    made.token_types = file["token_types"].get<std::vector<std::int32_t>>();
    std::istringstream lines(file["merges"].get<std::string>());
    for (std::string line; std::getline(lines, line);) {
      const auto space = line.find(' ');
      made.tokens.push_back(line.substr(0, space) + line.substr(space + 1));
      made.token_types.push_back(1);
      made.merges.push_back(line);
    }
    made.bos = file["bos"], made.eos = file["eos"], made.pad = file["pad"], made.unk = file["unk"];
    made.add_bos = file["add_bos"].get<bool>(), made.add_space_prefix = file["add_space_prefix"].get<bool>();
    made.chat_template = file["chat_template"];
    return made;
  }();
  return gguf;
}

const TextBundle& smollm2_bundle() {
  static const TextBundle bundle = TextBundle::from_gguf_metadata(smollm2());
  return bundle;
}

const Tokenizer& tiny_tokenizer() {
  static const Tokenizer tokenizer = [] {
    const std::vector<std::string> texts = {"the cat sat on the mat", "the rat sat on the hat",
                                            "naïve café, 你好 and 😀"};
    return train_bpe(texts, 300, std::vector<std::string>{"<|im_start|>", "<|im_end|>"});
  }();
  return tokenizer;
}

GgufTokenizer pieces_vocabulary(const std::vector<std::string>& pieces) {
  GgufTokenizer gguf{
      .model = "llama", .tokens = {"<unk>", "<s>", "</s>"}, .token_types = {2, 3, 3}, .scores = {0, 0, 0}};
  for (int byte = 0; byte < 256; ++byte) {
    char token[8];
    std::snprintf(token, sizeof token, "<0x%02X>", byte);
    gguf.tokens.push_back(token);
    gguf.token_types.push_back(6);
    gguf.scores.push_back(0);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    gguf.tokens.push_back(pieces[i]);
    gguf.token_types.push_back(1);
    gguf.scores.push_back(-static_cast<float>(i));
  }
  gguf.bos = 1, gguf.eos = 2, gguf.unk = 0;
  return gguf;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "rlhf-text-XXXXXX").string();
  path = mkdtemp(pattern.data());
}

void TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories((path / name).parent_path());
  std::ofstream(path / name, std::ios::binary) << text;
}

}  // namespace rlhf::text
