#include "rlhf/text/bundle.h"

#include <gmock/gmock.h>

#include "tests/text/fixtures.h"

namespace rlhf::text {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const json hello = json::array({{{"role", "user"}, {"content", "the cat"}}});

/// An HF directory with the tiny tokenizer.
struct Directory : TemporaryFolder {
  Directory() {
    write("tokenizer.json", tiny_tokenizer().to_json());
    config({{"eos_token", "<|im_end|>"}});
  }
  void config(const json& value) const { write("tokenizer_config.json", value.dump()); }
  TextBundle read() const { return TextBundle::from_hf_directory(path); }
};

TEST(Bundle, ReadsAnHfDirectory) {
  const Directory folder;
  folder.config({{"bos_token", {{"content", "<|im_start|>"}, {"special", true}}},
                 {"eos_token", "<|im_end|>"},
                 {"pad_token", nullptr},
                 {"chat_template", chatml_template()}});
  const auto bundle = folder.read();
  EXPECT_EQ(bundle.special.bos, 0);
  EXPECT_EQ(bundle.special.pad, std::nullopt);
  EXPECT_THAT(bundle.special.stop, ElementsAre(1));
  EXPECT_TRUE(bundle.is_stop(1));
  EXPECT_FALSE(bundle.is_stop(0));
  EXPECT_EQ(bundle.files.at("tokenizer.json"), tiny_tokenizer().to_json());
  const auto ids = bundle.encode_chat(hello);
  EXPECT_EQ(bundle.tokenizer.decode(ids, false), "<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(ids.front(), 0);
}

TEST(Bundle, FilesAreKeptByteForByte) {
  const Directory folder;
  const std::string odd = "{ \"eos_token\" : \"<|im_end|>\",\n\n \"unknown_key\": 1e2 }\r\n";
  folder.write("tokenizer_config.json", odd);
  folder.write("tokenizer.model", std::string("\0\xFF\x01", 3));
  folder.write("additional_chat_templates/tool_use.jinja", "x");
  folder.write("model.safetensors", "not text");
  const auto bundle = folder.read();
  EXPECT_EQ(bundle.files.at("tokenizer_config.json"), odd);
  EXPECT_EQ(bundle.files.at("tokenizer.model"), std::string("\0\xFF\x01", 3));
  EXPECT_EQ(bundle.files.at("additional_chat_templates/tool_use.jinja"), "x");
  EXPECT_FALSE(bundle.files.contains("model.safetensors"));
}

TEST(Bundle, TheJinjaFileWinsOverTheKey) {
  const Directory folder;
  folder.config({{"eos_token", "<|im_end|>"}, {"chat_template", "from the key"}});
  EXPECT_EQ(folder.read().chat->render(hello), "from the key");
  folder.write("chat_template.jinja", "from the file");
  EXPECT_EQ(folder.read().chat->render(hello), "from the file");
}

TEST(Bundle, OfNamedTemplatesTheDefaultCounts) {
  const Directory folder;
  folder.config({{"eos_token", "<|im_end|>"},
                 {"chat_template",
                  {{{"name", "tool_use"}, {"template", "tools"}}, {{"name", "default"}, {"template", "plain"}}}}});
  EXPECT_EQ(folder.read().chat->render(hello), "plain");
  folder.config({{"eos_token", "<|im_end|>"},
                 {"chat_template", {{{"name", "a"}, {"template", "1"}}, {{"name", "b"}, {"template", "2"}}}}});
  EXPECT_THAT(error_of([&] { folder.read(); }), HasSubstr("found a, b"));
}

TEST(Bundle, StopIdsComeFromEverySource) {
  const Directory folder;
  folder.config({{"eos_token", "<|im_start|>"}, {"chat_template", chatml_template()}});
  EXPECT_THAT(folder.read().special.stop, ElementsAre(0, 1)) << "eos, then the end of turn that the template writes";
  folder.write("generation_config.json", R"({"eos_token_id": [5, 0, 7]})");
  EXPECT_THAT(folder.read().special.stop, ElementsAre(0, 5, 7, 1));
  folder.write("generation_config.json", R"({"eos_token_id": 9})");
  folder.config(json::object());
  EXPECT_THAT(folder.read().special.stop, ElementsAre(9));
  folder.write("generation_config.json", "{}");
  folder.write("config.json", R"({"eos_token_id": 4})");
  EXPECT_THAT(folder.read().special.stop, ElementsAre(4));
}

TEST(Bundle, DamagedDirectoriesAreErrors) {
  const Directory folder;
  folder.config({{"eos_token", "<|nowhere|>"}});
  EXPECT_THAT(error_of([&] { folder.read(); }), AllOf(HasSubstr("eos_token"), HasSubstr("<|nowhere|>")));
  folder.write("tokenizer_config.json", "{");
  EXPECT_THAT(error_of([&] { folder.read(); }), HasSubstr("tokenizer_config.json"));
  folder.write("tokenizer_config.json", "[1]");
  EXPECT_THAT(error_of([&] { folder.read(); }), HasSubstr("object is expected"));
  std::filesystem::remove(folder.path / "tokenizer.json");
  EXPECT_THAT(error_of([&] { folder.read(); }), HasSubstr("no tokenizer.json"));
}

TEST(Bundle, ADoubledBosIsAnError) {
  const auto bundle =
      TextBundle::from_tokenizer(tiny_tokenizer(), {{"bos_token", "<|im_start|>"}, {"eos_token", "<|im_end|>"}});
  EXPECT_EQ(bundle.encode_rendered("<|im_start|>the").front(), 0);
  EXPECT_THAT(error_of([&] { bundle.encode_rendered("<|im_start|><|im_start|>the"); }), HasSubstr("two BOS"));
  auto gguf = gguf_metadata(tiny_tokenizer());
  gguf.bos = 0, gguf.eos = 1, gguf.add_bos = true;
  const auto adding = TextBundle::from_gguf_metadata(gguf);
  EXPECT_EQ(adding.encode_text("the").front(), 0);
  EXPECT_THAT(error_of([&] { adding.encode_text("<|im_start|>the"); }), HasSubstr("two BOS"));
  EXPECT_EQ(adding.encode_rendered("<|im_start|>the"), adding.encode_text("the"));
}

TEST(Bundle, WithoutATemplateAConversationIsRefused) {
  const auto bundle = TextBundle::from_tokenizer(tiny_tokenizer(), {{"eos_token", "<|im_end|>"}});
  EXPECT_THAT(error_of([&] { bundle.encode_chat(hello); }), HasSubstr("has none"));
}

TEST(Bundle, SmolLm2FromItsGgufMetadata) {
  const auto& bundle = smollm2_bundle();
  EXPECT_EQ(bundle.special.bos, 1);
  EXPECT_EQ(bundle.special.pad, 2);
  EXPECT_THAT(bundle.special.stop, ElementsAre(2));
  EXPECT_EQ(bundle.tokenizer.size(), 49152);
  const auto ids = bundle.encode_chat(json::array({{{"role", "user"}, {"content", "Hi"}}}));
  EXPECT_EQ(bundle.tokenizer.decode(ids, false),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(bundle.to_gguf_metadata().merges, smollm2().merges);
}

TEST(Bundle, AnExportedGgufBundleReadsBackTheSame) {
  const TemporaryFolder folder;
  for (const auto& [name, text] : smollm2_bundle().files) folder.write(name, text);
  const auto again = TextBundle::from_hf_directory(folder.path);
  EXPECT_EQ(again.special.bos, smollm2_bundle().special.bos);
  EXPECT_EQ(again.special.pad, smollm2_bundle().special.pad);
  EXPECT_EQ(again.special.stop, smollm2_bundle().special.stop);
  EXPECT_EQ(again.files, smollm2_bundle().files);
  EXPECT_EQ(again.encode_chat(hello), smollm2_bundle().encode_chat(hello));
  const auto gguf = again.to_gguf_metadata();
  EXPECT_EQ(gguf.pre, "smollm");
  EXPECT_EQ(gguf.bos, 1);
  EXPECT_EQ(gguf.eos, 2);
  EXPECT_EQ(gguf.add_bos, false);
  EXPECT_EQ(gguf.chat_template, smollm2().chat_template);
}

}  // namespace
}  // namespace rlhf::text
