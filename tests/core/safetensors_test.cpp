#include "rlhf/core/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "rlhf/core/error.h"
#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

using ::testing::HasSubstr;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string file_with(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + header + std::string(data_bytes, '\x01');
}

std::string problem_with(const std::string& bytes) {
  try {
    SafetensorsFile::from_bytes(bytes, "file");
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::bad_data);
    return error.what();
  }
  return "";
}

TEST(Safetensors, RoundTripOfEveryType) {
  const ScratchFolder folder;
  std::map<std::string, Tensor> tensors;
  for (const auto type : {at::kBool, at::kByte, at::kChar, at::kShort, at::kHalf, at::kBFloat16, at::kInt, at::kFloat,
                          at::kLong, at::kDouble})
    tensors[c10::toString(type)] = at::randn({3, 5}).mul(3).to(type);
  tensors["scalar"] = at::scalar_tensor(1.5);
  tensors["empty"] = at::empty({0, 4});
  tensors["transposed"] = at::randn({4, 6}).t();
  write_safetensors(folder.path() / "a.safetensors", tensors, {{"made_by", "test"}});
  const auto file = SafetensorsFile::open(folder.path() / "a.safetensors");
  EXPECT_EQ(file.names().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const auto read = file.tensor(name);
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read, tensor)) << name;
    if (read.numel() > 0) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data_ptr()) % read.element_size(), 0) << name;
    }
  }
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.metadata().at("made_by"), "test");
}

TEST(Safetensors, ReadsWhatTheReferenceImplementationWrote) {
  const auto file = SafetensorsFile::open(RLHF_SOURCE_DIR "/tests/reference/models/llama_tied/model.safetensors");
  EXPECT_TRUE(file.has("model.layers.1.self_attn.q_proj.weight"));
  EXPECT_EQ(file.tensor("model.embed_tokens.weight").sizes(), at::IntArrayRef({264, 32}));
}

TEST(Safetensors, TensorKeepsTheFileAlive) {
  const ScratchFolder folder;
  write_safetensors(folder.path() / "a", {{"x", at::arange(4, at::kFloat)}});
  auto tensor = SafetensorsFile::open(folder.path() / "a").tensor("x");
  std::filesystem::remove(folder.path() / "a");
  EXPECT_EQ(tensor.sum().item<float>(), 6);
}

TEST(Safetensors, OverwritingLeavesMappedReadersAlone) {
  const ScratchFolder folder;
  const auto path = folder.path() / "a";
  write_safetensors(path, {{"x", at::zeros({1000})}});
  const auto old = SafetensorsFile::open(path);
  const auto before = old.tensor("x");
  write_safetensors(path, {{"x", at::ones({1000})}});
  EXPECT_EQ(before.sum().item<float>(), 0);
  before.fill_(7);  // a private copy of the pages
  EXPECT_EQ(SafetensorsFile::open(path).tensor("x").sum().item<float>(), 1000);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "a temporary file was left";
}

TEST(Safetensors, TensorThatIsNotAlignedIsCopied) {
  const std::string header = R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )";
  ASSERT_NE((8 + header.size()) % 4, 0);
  const auto tensor = SafetensorsFile::from_bytes(file_with(header, 4)).tensor("x");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data_ptr()) % 4, 0);
}

TEST(Safetensors, MissingTensorNamesTheNearest) {
  const auto file = SafetensorsFile::from_bytes(
      file_with(R"({"model.norm.weight":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 2));
  try {
    file.tensor("model.norm.weigth");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'model.norm.weight'"));
  }
}

TEST(Safetensors, HostileHeaders) {
  const auto entry = [](const std::string& body) { return R"({"x":{)" + body + "}}"; };
  EXPECT_THAT(problem_with(""), HasSubstr("at least 8"));
  EXPECT_THAT(problem_with(std::string(8, '\xff')), HasSubstr("limit is 100 MB"));
  EXPECT_THAT(problem_with(std::string("\x40\0\0\0\0\0\0\0", 8)), HasSubstr("the file ends"));
  EXPECT_THAT(problem_with(file_with("[]", 0)), HasSubstr("not a JSON object"));
  EXPECT_THAT(problem_with(file_with("{\"x\":", 0)), HasSubstr("not valid JSON"));
  EXPECT_THAT(problem_with(file_with("{\"x\":" + std::string(100000, '['), 0)), HasSubstr("nested"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F99","shape":[1],"data_offsets":[0,4])"), 4)),
              HasSubstr("unknown dtype"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), 4)),
              HasSubstr("lacks a valid"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4)),
              HasSubstr("need 8 bytes"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), 4)),
              HasSubstr("lies at bytes"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 4)),
              HasSubstr("lies at bytes"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4])"), 4)),
              HasSubstr("far more"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4])"), 4)),
              HasSubstr("63 bits"));
  EXPECT_THAT(problem_with(file_with(entry(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])"), 4)),
              HasSubstr("after its last tensor"));
  EXPECT_THAT(
      problem_with(file_with(
          R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          4)),
      HasSubstr("overlaps"));
  EXPECT_THAT(
      problem_with(file_with(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
          3)),
      HasSubstr("hole"));
  EXPECT_THAT(
      problem_with(file_with(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
          1)),
      HasSubstr("twice"));
  EXPECT_THAT(problem_with(file_with(R"({"__metadata__":{"a":1}})", 0)), HasSubstr("other than strings"));
}

std::string small_file() {
  const ScratchFolder folder;
  write_safetensors(folder.path() / "a", {{"weight", at::arange(6, at::kFloat).view({2, 3})}, {"ids", at::arange(3)}});
  return bytes_of(folder.path() / "a");
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const auto whole = small_file();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(problem_with(whole.substr(0, length)), "") << length;
  EXPECT_EQ(problem_with(whole), "");
}

TEST(Safetensors, EveryBitFlipIsRefusedOrHarmless) {
  const auto whole = small_file();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    try {
      const auto file = SafetensorsFile::from_bytes(changed);
      for (const auto& name : file.names()) EXPECT_GE(file.tensor(name).to(at::kFloat).numel(), 0);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace rlhf
