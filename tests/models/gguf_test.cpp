#include "rlhf/models/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/gguf_names.h"
#include "rlhf/models/gguf_weights.h"
#include "rlhf/models/gguf_writer.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Bytes of a GGUF file, put together by hand.
class Bytes {
 public:
  template <class T>
  Bytes& put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& text(const std::string& text) {
    put<std::uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  Bytes& start(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    bytes_ = "GGUF";
    return put(version).put(tensors).put(keys);
  }
  Bytes& zeros(std::size_t count) {
    bytes_ += std::string(count, '\0');
    return *this;
  }
  Bytes& pad(std::size_t step = 32) { return zeros((step - bytes_.size() % step) % step); }
  Bytes& tensor(const std::string& name, std::vector<std::uint64_t> dims, std::uint32_t type, std::uint64_t offset) {
    text(name).put(static_cast<std::uint32_t>(dims.size()));
    for (const auto dim : dims) put(dim);
    return put(type).put(offset);
  }
  const std::string& str() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string problem_with(const std::string& bytes) {
  try {
    GgufFile::from_bytes(bytes, "file");
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::bad_data);
    return error.what();
  }
  return "";
}

std::string small_file() {
  const ScratchFolder folder;
  GgufContents contents;
  contents.metadata = {{"general.architecture", {std::string("llama")}},
                       {"llama.block_count", {std::uint64_t{2}}},
                       {"llama.rope.freq_base", {10000.0}},
                       {"tokenizer.ggml.add_bos_token", {true}},
                       {"tokenizer.ggml.tokens", {GgufValue::Array{{std::string("a")}, {std::string("bc")}}}},
                       {"tokenizer.ggml.token_type", {GgufValue::Array{{std::int64_t{1}}, {std::int64_t{3}}}}}};
  contents.tensors = {{"a", at::arange(6, at::kFloat).view({2, 3}), GgmlType::f32},
                      {"b", at::arange(64, at::kFloat).view({2, 32}), GgmlType::q8_0},
                      {"c", at::tensor({1.0f, -2.5f}), GgmlType::f16}};
  write_gguf(folder.path() / "a.gguf", contents);
  std::ifstream stream(folder.path() / "a.gguf", std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Gguf, ReadsWhatItWrote) {
  const auto file = GgufFile::from_bytes(small_file());
  EXPECT_EQ(file.text("general.architecture"), "llama");
  EXPECT_EQ(file.integer("llama.block_count"), 2);
  EXPECT_EQ(file.number("llama.rope.freq_base"), 10000.0);
  EXPECT_EQ(file.flag("tokenizer.ggml.add_bos_token"), true);
  EXPECT_THAT(*file.texts("tokenizer.ggml.tokens"), ElementsAre("a", "bc"));
  EXPECT_THAT(*file.numbers("tokenizer.ggml.token_type"), ElementsAre(1, 3));
  EXPECT_EQ(file.integer("absent"), std::nullopt);
  EXPECT_THROW(file.integer("general.architecture"), Error);
  EXPECT_TRUE(at::equal(dequantize(file.tensors().at("a")), at::arange(6, at::kFloat).view({2, 3})));
  EXPECT_TRUE(at::equal(dequantize(file.tensors().at("c")), at::tensor({1.0f, -2.5f})));
  // Steps of 63 / 127: half a step is the largest error.
  EXPECT_LT((dequantize(file.tensors().at("b")) - at::arange(64, at::kFloat).view({2, 32})).abs().max().item<float>(),
            0.26);
}

TEST(Gguf, EveryTypeOfMetadata) {
  Bytes bytes;
  bytes.start(0, 14, 2);
  bytes.text("u8").put(0u).put<std::uint8_t>(200);
  bytes.text("i8").put(1u).put<std::int8_t>(-3);
  bytes.text("u16").put(2u).put<std::uint16_t>(60000);
  bytes.text("i16").put(3u).put<std::int16_t>(-300);
  bytes.text("u32").put(4u).put<std::uint32_t>(4000000000u);
  bytes.text("i32").put(5u).put<std::int32_t>(-70000);
  bytes.text("f32").put(6u).put(0.5f);
  bytes.text("bool").put(7u).put<std::uint8_t>(1);
  bytes.text("text").put(8u).text("grüß");
  bytes.text("u64").put(10u).put<std::uint64_t>(1ull << 40);
  bytes.text("i64").put(11u).put<std::int64_t>(-(1ll << 40));
  bytes.text("f64").put(12u).put(0.1);
  bytes.text("list").put(9u).put(5u).put<std::uint64_t>(2).put(1).put(-2);
  bytes.text("nested")
      .put(9u)
      .put(9u)
      .put<std::uint64_t>(1)
      .put(0u)
      .put<std::uint64_t>(2)
      .put<std::uint8_t>(7)
      .put<std::uint8_t>(8);
  const auto file = GgufFile::from_bytes(bytes.str());
  EXPECT_EQ(file.integer("u8"), 200);
  EXPECT_EQ(file.integer("i8"), -3);
  EXPECT_EQ(file.integer("u16"), 60000);
  EXPECT_EQ(file.integer("i16"), -300);
  EXPECT_EQ(file.integer("u32"), 4000000000);
  EXPECT_EQ(file.integer("i32"), -70000);
  EXPECT_EQ(file.number("f32"), 0.5);
  EXPECT_EQ(file.flag("bool"), true);
  EXPECT_EQ(file.text("text"), "grüß");
  EXPECT_EQ(file.integer("u64"), 1ll << 40);
  EXPECT_EQ(file.integer("i64"), -(1ll << 40));
  EXPECT_EQ(file.number("f64"), 0.1);
  EXPECT_THAT(*file.numbers("list"), ElementsAre(1, -2));
  const auto& outer = std::get<GgufValue::Array>(file.metadata().at("nested").value);
  EXPECT_EQ(std::get<GgufValue::Array>(outer.at(0).value).size(), 2);
}

TEST(Gguf, HostileHeaders) {
  const auto no_keys = [](std::uint64_t tensors) { return Bytes().start(tensors, 0); };
  EXPECT_THAT(problem_with("GGML"), HasSubstr("does not start with"));
  EXPECT_THAT(problem_with(Bytes().start(0, 0, 1).str()), HasSubstr("version 1"));
  EXPECT_THAT(problem_with(Bytes().start(0, 0, 0x03000000).str()), HasSubstr("big-endian"));
  EXPECT_THAT(problem_with(Bytes().start(1ull << 60, 0).str()), HasSubstr("tensors; the limit"));
  EXPECT_THAT(problem_with(Bytes().start(0, 1ull << 60).str()), HasSubstr("metadata keys; the limit"));
  EXPECT_THAT(problem_with(Bytes().start(0, 1).put<std::uint64_t>(~0ull).str()), HasSubstr("has a text of"));
  EXPECT_THAT(problem_with(Bytes().start(0, 1).text("k").put(99u).zeros(64).str()), HasSubstr("unknown type 99"));
  EXPECT_THAT(
      problem_with(Bytes().start(0, 1).text("k").put(9u).put(0u).put<std::uint64_t>(1ull << 62).zeros(64).str()),
      HasSubstr("has an array of"));
  EXPECT_THAT(problem_with(Bytes().start(0, 1).text("k").put(9u).put(77u).put<std::uint64_t>(1).zeros(64).str()),
              HasSubstr("array of the unknown type"));
  Bytes deep;
  deep.start(0, 1).text("k").put(9u);
  for (int i = 0; i < 1000; ++i) deep.put(9u).put<std::uint64_t>(1);
  EXPECT_THAT(problem_with(deep.str()), HasSubstr("nested"));
  EXPECT_THAT(problem_with(Bytes().start(0, 2).text("k").put(7u).zeros(1).text("k").put(7u).zeros(1).str()),
              HasSubstr("twice"));
  EXPECT_THAT(problem_with(Bytes().start(0, 1).text("general.alignment").put(4u).put(24u).str()),
              HasSubstr("power of two"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {4}, 0, 0).pad().zeros(8).str()), HasSubstr("needs 16 bytes"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {4}, 0, ~31ull).pad().zeros(16).str()), HasSubstr("needs 16 bytes"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {4}, 0, 8).pad().zeros(64).str()), HasSubstr("multiple of 32"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {0}, 0, 0).pad().str()), HasSubstr("impossible size"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {1ull << 40, 1ull << 40}, 0, 0).pad().str()),
              HasSubstr("impossible size"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {1ull << 32, 1ull << 30}, 0, 0).pad().str()),
              HasSubstr("impossible size"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {1, 1, 1, 1, 1}, 0, 0).pad().zeros(32).str()),
              HasSubstr("5 dimensions"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {33}, 8, 0).pad().zeros(64).str()),
              HasSubstr("no multiple of Q8_0's"));
  EXPECT_THAT(problem_with(no_keys(1).tensor("t", {32}, 17, 0).pad().zeros(64).str()), HasSubstr("type 17"));
  EXPECT_THAT(problem_with(no_keys(2).tensor("a", {16}, 0, 0).tensor("b", {4}, 0, 32).pad().zeros(64).str()),
              HasSubstr("overlap"));
  EXPECT_THAT(problem_with(no_keys(2).tensor("a", {4}, 0, 0).tensor("a", {4}, 0, 32).pad().zeros(64).str()),
              HasSubstr("twice"));
}

TEST(Gguf, EveryTruncationIsRefused) {
  auto whole = small_file();
  while (whole.back() == '\0' && problem_with(whole.substr(0, whole.size() - 1)).empty())
    whole.pop_back();  // padding at the end
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(problem_with(whole.substr(0, length)), "") << length;
}

TEST(Gguf, EveryBitFlipIsRefusedOrHarmless) {
  const auto whole = small_file();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    try {
      const auto file = GgufFile::from_bytes(changed);
      for (const auto& [name, tensor] : file.tensors()) dequantize(tensor);
      tokenizer_from_gguf(file);
      config_from_gguf(file);
    } catch (const Error&) {
    }
  }
}

TEST(Gguf, Float16RefusesWhatItCannotHold) {
  const ScratchFolder folder;
  const GgufContents contents{.metadata = {}, .tensors = {{"a", at::full({2, 2}, 1e6f), GgmlType::f16}}};
  EXPECT_THROW(write_gguf(folder.path() / "a.gguf", contents), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(GgufNames, RowsOfQueriesAreTurnedForLlamaOnly) {
  const std::string name = "model.layers.0.self_attn.k_proj.weight";
  const auto weight = at::arange(16, at::kFloat).view({8, 2});  // 2 kv heads of 4 rows
  const auto turned = to_gguf_layout("llama", name, weight, 4, 2);
  EXPECT_TRUE(at::equal(turned.select(1, 0) / 2, at::tensor({0.0f, 2.0f, 1.0f, 3.0f, 4.0f, 6.0f, 5.0f, 7.0f})));
  EXPECT_TRUE(at::equal(from_gguf_layout("llama", name, turned, 4, 2), weight));
  EXPECT_TRUE(at::equal(to_gguf_layout("qwen2", name, weight, 4, 2), weight));
}

TEST(GgufNames, HuggingFaceToGguf) {
  EXPECT_EQ(gguf_name("model.layers.12.self_attn.o_proj.weight"), "blk.12.attn_output.weight");
  EXPECT_EQ(gguf_name("transformer.h.3.attn.c_attn.bias"), "blk.3.attn_qkv.bias");
  EXPECT_EQ(gguf_name("lm_head.weight"), "output.weight");
  EXPECT_EQ(gguf_name("model.layers.0.mystery.weight"), std::nullopt);
  EXPECT_EQ(gguf_name("weight"), std::nullopt);
}

TEST(GgufConfig, RopeFactorsAndBack) {
  const nlohmann::json config = {{"model_type", "llama"},
                                 {"hidden_size", 2048},
                                 {"num_attention_heads", 32},
                                 {"rope_theta", 500000.0},
                                 {"rope_scaling",
                                  {{"rope_type", "llama3"},
                                   {"factor", 32.0},
                                   {"low_freq_factor", 1.0},
                                   {"high_freq_factor", 4.0},
                                   {"original_max_position_embeddings", 8192}}}};
  const auto factors = rope_factors(config);
  ASSERT_EQ(factors.size(), 32);
  EXPECT_EQ(factors.front(), 1);
  EXPECT_EQ(factors.back(), 32);
}

TEST(GgufConfig, UnknownArchitectureSaysWhatIsKnown) {
  Bytes bytes;
  bytes.start(0, 1).text("general.architecture").put(8u).text("rwkv7");
  try {
    config_from_gguf(GgufFile::from_bytes(bytes.str()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("supported are llama"));
  }
}

}  // namespace
}  // namespace rlhf::models
