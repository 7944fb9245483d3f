#include "rlhf/text/tokenizer.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "rlhf/text/detail/utf8.h"
#include "tests/text/fixtures.h"

namespace rlhf::text {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Any Unicode text: RapidCheck's own strings are bytes.
std::string random_text(std::mt19937& draw, int longest) {
  const std::pair<int, int> ranges[] = {{0x20, 0x7E},     {0x20, 0x7E},     {0x00, 0x2FF},      {0x370, 0x5FF},
                                        {0x2000, 0x2BFF}, {0x4E00, 0x9FFF}, {0x1F300, 0x1FAFF}, {0xE000, 0x10FFFF}};
  std::string text;
  for (int left = static_cast<int>(draw() % static_cast<unsigned>(longest + 1)); left > 0; --left) {
    const auto& [low, high] = ranges[draw() % std::size(ranges)];
    const auto code =
        static_cast<unsigned>(low) + static_cast<unsigned>(draw()) % static_cast<unsigned>(high - low + 1);
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    } else if (code < 0x10000) {
      text += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
               static_cast<char>(0x80 | (code & 0x3F))};
    } else {
      text += {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3F)),
               static_cast<char>(0x80 | (code >> 6 & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
    }
  }
  return text;
}

TEST(Tokenizer, TrainedVocabularyIsSpecialTokensThenBytesThenMerges) {
  const auto& tokenizer = tiny_tokenizer();
  EXPECT_EQ(tokenizer.id("<|im_start|>"), 0);
  EXPECT_EQ(tokenizer.id("<|im_end|>"), 1);
  EXPECT_EQ(tokenizer.token(2), "!");  // the byte-level alphabet in its order
  EXPECT_GT(tokenizer.size(), 258);
  EXPECT_LE(tokenizer.size(), 300);
  EXPECT_EQ(tokenizer.encode("the").size(), 1u);
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_FALSE(tokenizer.is_special(2));
  EXPECT_EQ(tokenizer.id("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer.decoder_kind(), DecoderKind::byte_level);
}

TEST(Tokenizer, SpecialTokensAreParsedAndSkipped) {
  const auto& tokenizer = tiny_tokenizer();
  const auto ids = tokenizer.encode("<|im_start|>the<|im_end|>");
  EXPECT_EQ(ids.front(), 0);
  EXPECT_EQ(ids.back(), 1);
  EXPECT_EQ(tokenizer.decode(ids), "the");
  EXPECT_EQ(tokenizer.decode(ids, false), "<|im_start|>the<|im_end|>");
}

RC_GTEST_PROP(Tokenizer, DecodingUndoesEncoding, (unsigned seed)) {
  std::mt19937 draw(seed);
  const auto text = random_text(draw, 60);
  const auto& tokenizer = tiny_tokenizer();
  const auto ids = tokenizer.encode(text);
  RC_ASSERT(tokenizer.decode(ids) == text);
  std::string bytes;
  for (const TokenId id : ids) bytes += tokenizer.token_bytes(id);
  RC_ASSERT(bytes == text);
}

TEST(Tokenizer, BatchEqualsOneByOneWhateverTheThreads) {
  std::mt19937 draw(7);
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back(random_text(draw, 100));
  for (const int threads : {1, 3, 0}) {
    set_threads(threads);
    const auto batch = tiny_tokenizer().encode_batch(texts);
    ASSERT_EQ(batch.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(batch[i], tiny_tokenizer().encode(texts[i]));
  }
  EXPECT_TRUE(tiny_tokenizer().encode_batch({}).empty());
}

TEST(Tokenizer, TrainingIsTheSameForAnyThreads) {
  std::mt19937 draw(8);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(random_text(draw, 100));
  set_threads(1);
  const auto one = train_bpe(texts, 400, {}).to_json();
  set_threads(3);
  EXPECT_EQ(train_bpe(texts, 400, {}).to_json(), one);
  set_threads(0);
}

TEST(Tokenizer, SpecialTokensInTheTextsAreNotLearnt) {
  const std::vector<std::string> texts(50, "<|im_end|>ab<|im_end|>");
  const auto tokenizer = train_bpe(texts, 300, std::vector<std::string>{"<|im_end|>"});
  EXPECT_EQ(tokenizer.size(), 258);  // one special token, 256 bytes and the only pair: ab
}

TEST(Tokenizer, TooSmallAVocabularyIsRefused) {
  const auto error = error_of([] { train_bpe({}, 256, std::vector<std::string>{"<pad>"}); });
  EXPECT_THAT(error, AllOf(HasSubstr("vocabulary_size"), HasSubstr("at least 257")));
}

TEST(Tokenizer, JsonReadsBackAsTheSame) {
  const auto again = Tokenizer::from_json(tiny_tokenizer().to_json());
  EXPECT_EQ(again.to_json(), tiny_tokenizer().to_json());
  EXPECT_EQ(again.encode("the cat <|im_end|>"), tiny_tokenizer().encode("the cat <|im_end|>"));
}

TEST(Tokenizer, TruncationAndPaddingOfTheFileDoNotApply) {
  auto json = nlohmann::json::parse(tiny_tokenizer().to_json());
  json["truncation"] = {{"direction", "Right"}, {"max_length", 2}, {"strategy", "LongestFirst"}, {"stride", 0}};
  json["padding"] = {{"strategy", {{"Fixed", 64}}},
                     {"direction", "Right"},
                     {"pad_to_multiple_of", nullptr},
                     {"pad_id", 0},
                     {"pad_type_id", 0},
                     {"pad_token", "<|im_start|>"}};
  EXPECT_EQ(Tokenizer::from_json(json.dump()).encode("the cat sat"), tiny_tokenizer().encode("the cat sat"));
}

TEST(Tokenizer, UnknownIdsAreNoTextAndNegativeOnesAnError) {
  const TokenIds beyond = {tiny_tokenizer().size() + 5, TokenId(1) << 40};
  EXPECT_EQ(tiny_tokenizer().decode(beyond), "");
  EXPECT_EQ(tiny_tokenizer().token_bytes(beyond[0]), "");
  EXPECT_THAT(error_of([] { tiny_tokenizer().decode(TokenIds{-100}); }), HasSubstr("-100 is negative"));
  EXPECT_THAT(error_of([&] { tiny_tokenizer().token(beyond[0]); }), HasSubstr("no token has the id"));
}

TEST(Tokenizer, TextThatIsNotUtf8IsRefusedWithItsPlace) {
  EXPECT_THAT(error_of([] { tiny_tokenizer().encode("ab\xFF"); }), HasSubstr("not UTF-8 at byte 2"));
  const std::vector<std::string> texts = {"fine", "\xC3"};
  EXPECT_THAT(error_of([&] { tiny_tokenizer().encode_batch(texts); }), HasSubstr("text 1 of 2"));
}

TEST(Tokenizer, HostileFilesAreErrors) {
  for (const std::string json :
       {"", "{", "[]", "null", "{\"model\":{}}", "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[\"a\",\"b\"]]}}", "\xFF\xFE"}) {
    EXPECT_THAT(error_of([&] { Tokenizer::from_json(json, "some/tokenizer.json"); }), HasSubstr("some/tokenizer.json"))
        << json;
  }
  EXPECT_NE(error_of([] { Tokenizer::from_json(std::string(100000, '['), "deep"); }), "");
  EXPECT_THAT(error_of([] { Tokenizer::from_file("/no/such/tokenizer.json"); }), HasSubstr("cannot be read"));
}

TEST(Tokenizer, DamagedFilesNeverEndTheProcess) {
  const std::string whole = tiny_tokenizer().to_json();
  std::mt19937 draw(3);
  for (int i = 0; i < 150; ++i) {
    std::string damaged = whole;
    for (int changes = 1 + static_cast<int>(draw() % 3); changes > 0; --changes)
      damaged[draw() % damaged.size()] = static_cast<char>(draw() % 256);
    error_of([&] {
      const auto tokenizer = Tokenizer::from_json(damaged);
      tokenizer.decode(tokenizer.encode("the cat 你好", true));
    });
  }
}

TEST(Utf8, MaximalSubpartsAreReplacedAsTheStandardSays) {
  using detail::Utf8Step;
  EXPECT_EQ(detail::utf8_step("\xE4\xB8\xAD").length, 3u);
  EXPECT_EQ(detail::utf8_step("\xE4\xB8").kind, Utf8Step::unfinished);
  EXPECT_EQ(detail::utf8_step("\xE4\xB8"
                              "A")
                .length,
            2u);                                                         // E4 B8 is one ill-formed part
  EXPECT_EQ(detail::utf8_step("\xE0\x80\x80").length, 1u);               // overlong: E0 cannot be followed by 80
  EXPECT_EQ(detail::utf8_step("\xED\xA0\x80").kind, Utf8Step::invalid);  // a surrogate
  EXPECT_EQ(detail::utf8_step("\x80").kind, Utf8Step::invalid);
  EXPECT_TRUE(detail::is_utf8("a\xC3\xA9"));
  EXPECT_FALSE(detail::is_utf8("a\xC3"));
}

}  // namespace
}  // namespace rlhf::text
