#include "rlhf/text/stream_decoder.h"

#include <gmock/gmock.h>

#include <random>

#include "rlhf/text/detail/utf8.h"
#include "tests/text/fixtures.h"

namespace rlhf::text {
namespace {

/// Streams random ids; each piece must be UTF-8, all joined what a whole decode gives.
void expect_streams_like_whole_decode(const Tokenizer& tokenizer, int rounds) {
  std::mt19937 draw(11);
  StreamDecoder stream(tokenizer);
  for (int round = 0; round < rounds; ++round) {
    TokenIds ids(draw() % 12);
    const auto size = static_cast<unsigned>(tokenizer.size());
    // Half of the ids from the first 260, where the single bytes are.
    for (TokenId& id : ids) id = draw() % (draw() % 2 ? size + 2 : std::min(size, 260u));
    std::string joined;
    for (const TokenId id : ids) {
      const auto piece = stream.push(id);
      ASSERT_TRUE(detail::is_utf8(piece));
      joined += piece;
    }
    joined += stream.finish();
    ASSERT_EQ(joined, tokenizer.decode(ids)) << testing::PrintToString(ids);
  }
}

TEST(StreamDecoder, ByteLevelEqualsWholeDecode) { expect_streams_like_whole_decode(tiny_tokenizer(), 5000); }

TEST(StreamDecoder, RealVocabularyEqualsWholeDecode) {
  expect_streams_like_whole_decode(smollm2_bundle().tokenizer, 2000);
}

TEST(StreamDecoder, PiecesEqualWholeDecode) {
  auto gguf = pieces_vocabulary({"▁", "a", "b", "中", "▁a", "▁▁"});
  expect_streams_like_whole_decode(Tokenizer::from_json(tokenizer_json(gguf)), 5000);
  gguf.add_space_prefix = false;
  const auto without = Tokenizer::from_json(tokenizer_json(gguf));
  EXPECT_EQ(without.decoder_kind(), DecoderKind::pieces);
  expect_streams_like_whole_decode(without, 5000);
}

TEST(StreamDecoder, UnknownDecodersAreStreamedToo) {
  auto json = nlohmann::json::parse(tokenizer_json(pieces_vocabulary({"▁", "a", "b", "▁a"})));
  json["decoder"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
  const auto tokenizer = Tokenizer::from_json(json.dump());
  EXPECT_EQ(tokenizer.decoder_kind(), DecoderKind::other);
  expect_streams_like_whole_decode(tokenizer, 500);
}

TEST(StreamDecoder, ACharacterIsHeldUntilItsLastByte) {
  const auto& tokenizer = tiny_tokenizer();
  StreamDecoder stream(tokenizer);
  const auto byte = [&](const char* token) { return *tokenizer.id(token); };
  EXPECT_EQ(stream.push(byte("a")), "a");
  EXPECT_EQ(stream.push(byte("Ã")), "");   // C3
  EXPECT_EQ(stream.push(byte("©")), "é");  // A9
  EXPECT_EQ(stream.push(1), "");           // a special token
  EXPECT_EQ(stream.push(byte("Ã")), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.finish(), "");
  EXPECT_EQ(stream.push(byte("b")), "b");  // as new
}

}  // namespace
}  // namespace rlhf::text
