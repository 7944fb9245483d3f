#include "rlhf/text/gguf_tokenizer.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "tests/text/fixtures.h"

namespace rlhf::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(GgufTokenizer, SmolLm2GivesTheReferenceIds) {
  const auto& tokenizer = smollm2_bundle().tokenizer;
  const auto cases = reference_json("smollm2_ids.json");
  ASSERT_GE(cases.size(), 300u);
  for (const auto& entry : cases) {
    const std::string text = entry["text"];
    EXPECT_EQ(tokenizer.encode(text), entry["ids"].get<TokenIds>()) << text;
  }
}

TEST(GgufTokenizer, SmolLm2CutsEachDigitOff) {
  const auto& tokenizer = smollm2_bundle().tokenizer;
  const auto spelt = [&](const char* text) {
    std::vector<std::string> tokens;
    for (const TokenId id : tokenizer.encode(text)) tokens.push_back(tokenizer.token(id));
    return tokens;
  };
  EXPECT_THAT(spelt("2024"), ElementsAre("2", "0", "2", "4"));
  EXPECT_THAT(spelt("in 19"), ElementsAre("in", "Ġ", "1", "9"));
  // The whitespace before a digit ends its piece, so that no space is left for the next one; a conversion without the
  // digit rule would give "ĠĠ", "Ġ7" here.
  EXPECT_THAT(spelt("   7"), ElementsAre("ĠĠĠ", "7"));
}

TEST(GgufTokenizer, RealTextsRoundTrip) {
  const auto& tokenizer = smollm2_bundle().tokenizer;
  for (const auto& entry : reference_json("smollm2_ids.json")) {
    const std::string text = entry["text"];
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text), false), text);
  }
}

TEST(GgufTokenizer, MetadataSurvivesTheWayThere) {
  const auto& tokenizer = smollm2_bundle().tokenizer;
  const auto back = gguf_metadata(tokenizer);
  EXPECT_EQ(back.model, "gpt2");
  EXPECT_EQ(back.pre, "smollm");
  EXPECT_EQ(back.tokens, smollm2().tokens);
  EXPECT_EQ(back.token_types, smollm2().token_types);
  EXPECT_EQ(back.merges, smollm2().merges);
}

TEST(GgufTokenizer, EveryPreTokenizerIsRecognisedOnTheWayBack) {
  for (const std::string pre : {"smollm", "gpt-2", "llama-bpe", "dbrx", "qwen2", "stablelm2", "default"}) {
    auto gguf = gguf_metadata(tiny_tokenizer());
    EXPECT_EQ(gguf.pre, "gpt-2");
    gguf.pre = pre;
    const auto tokenizer = Tokenizer::from_json(tokenizer_json(gguf));
    EXPECT_EQ(gguf_metadata(tokenizer).pre, pre);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode("It's 2024,  isn't it?\n\n你好")), "It's 2024,  isn't it?\n\n你好")
        << pre;
  }
}

TEST(GgufTokenizer, BosIsAddedWhereTheFileOrItsFamilySaysSo) {
  auto gguf = gguf_metadata(tiny_tokenizer());
  gguf.bos = 0;
  EXPECT_FALSE(Tokenizer::from_json(tokenizer_json(gguf)).adds_special());
  gguf.pre = "llama-bpe";
  EXPECT_EQ(Tokenizer::from_json(tokenizer_json(gguf)).encode("a", true).front(), 0);
  gguf.add_bos = false;
  EXPECT_FALSE(Tokenizer::from_json(tokenizer_json(gguf)).adds_special());
  gguf.eos = 1, gguf.add_eos = true;
  EXPECT_EQ(Tokenizer::from_json(tokenizer_json(gguf)).encode("a", true).back(), 1);
}

TEST(GgufTokenizer, WhatIsNotKnownIsNamed) {
  auto gguf = gguf_metadata(tiny_tokenizer());
  gguf.pre = "klingon";
  EXPECT_THAT(error_of([&] { tokenizer_json(gguf); }), AllOf(HasSubstr("klingon"), HasSubstr("smollm")));
  gguf.model = "bert";
  EXPECT_THAT(error_of([&] { tokenizer_json(gguf); }), AllOf(HasSubstr("tokenizer.ggml.model"), HasSubstr("bert")));
}

TEST(GgufTokenizer, DamagedMetadataIsRefused) {
  const auto changed = [](auto change) {
    auto gguf = gguf_metadata(tiny_tokenizer());
    change(gguf);
    return error_of([&] { Tokenizer::from_json(tokenizer_json(gguf)); });
  };
  EXPECT_THAT(changed([](auto& g) { g.tokens.clear(); }), HasSubstr("no tokens"));
  EXPECT_THAT(changed([](auto& g) { g.token_types.pop_back(); }), HasSubstr("types for"));
  EXPECT_THAT(changed([](auto& g) { g.bos = 99999; }), HasSubstr("bos_token_id"));
  EXPECT_THAT(changed([](auto& g) { g.eos = -1; }), HasSubstr("eos_token_id"));
  EXPECT_THAT(changed([](auto& g) { g.tokens[5] = g.tokens[6]; }), HasSubstr("two ids"));
  EXPECT_THAT(changed([](auto& g) { g.tokens[5] = "\xFF"; }), HasSubstr("UTF-8"));
  EXPECT_THAT(changed([](auto& g) { g.merges[0] = "nospace"; }), HasSubstr("merges"));
  EXPECT_NE(changed([](auto& g) { g.merges[0] = "no such"; }), "");
}

/// SentencePiece's cutting as llama.cpp does it, without its queue: of all neighbours whose union is a piece, the union
/// with the highest score is made, the leftmost of equals; what is no piece in the end is spelt in bytes.
TokenIds cut_into_pieces(const GgufTokenizer& gguf, const std::string& text) {
  std::map<std::string, TokenId> ids;
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) ids[gguf.tokens[id]] = static_cast<TokenId>(id);
  std::string spaced = text.empty() ? "" : "▁";
  for (const char c : text) c == ' ' ? spaced += "▁" : spaced += c;
  std::vector<std::string> parts;
  for (const char c : spaced) {
    if ((c & 0xC0) == 0x80) {
      parts.back() += c;
    } else {
      parts.emplace_back(1, c);
    }
  }
  while (true) {
    std::size_t best = parts.size();
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ids.find(parts[i] + parts[i + 1]);
      if (found == ids.end()) continue;
      const auto score = [&](std::size_t at) {
        return gguf.scores[static_cast<std::size_t>(ids[parts[at] + parts[at + 1]])];
      };
      if (best == parts.size() || score(i) > score(best)) best = i;
    }
    if (best == parts.size()) break;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  TokenIds result;
  for (const std::string& part : parts) {
    if (const auto found = ids.find(part); found != ids.end()) {
      result.push_back(found->second);
    } else {
      for (const char c : part) result.push_back(3 + static_cast<unsigned char>(c));
    }
  }
  return result;
}

TEST(GgufTokenizer, PiecesAreCutAsTheOriginalAlgorithmCutsThem) {
  std::mt19937 draw(5);
  int compared = 0;
  for (int round = 0; round < 150; ++round) {
    std::vector<std::string> pieces = {"▁", "a", "b", "中"};
    // As training does: each new piece joins two that exist.
    for (int i = 0; i < 25; ++i) {
      const auto joined = pieces[draw() % pieces.size()] + pieces[draw() % pieces.size()];
      if (joined.size() < 20 && std::ranges::find(pieces, joined) == pieces.end()) pieces.push_back(joined);
    }
    const auto gguf = pieces_vocabulary(pieces);
    const auto tokenizer = Tokenizer::from_json(tokenizer_json(gguf));
    for (int i = 0; i < 20; ++i, ++compared) {
      const char* letters[] = {" ", "a", "a", "b", "中", "z", "é"};
      std::string text;
      for (unsigned left = draw() % 30; left > 0; --left) text += letters[draw() % (i % 2 ? 4 : std::size(letters))];
      ASSERT_EQ(tokenizer.encode(text), cut_into_pieces(gguf, text)) << text << "\n" << testing::PrintToString(pieces);
      ASSERT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
    }
  }
  EXPECT_EQ(compared, 3000);
}

TEST(GgufTokenizer, RunsOfSpacesMayHaveEqualScores) {
  // As in Llama 2 and Mistral: added after training, all with the same score; some lengths are missing.
  std::vector<std::string> pieces = {"▁", "a", "▁a", "aa"};
  for (const int length : {2, 4, 8, 5, 16, 6, 12, 13, 10, 14, 3, 9, 7, 11}) {
    pieces.emplace_back();
    for (int i = 0; i < length; ++i) pieces.back() += "▁";
  }
  auto gguf = pieces_vocabulary(pieces);
  for (std::size_t id = gguf.scores.size() - 14; id < gguf.scores.size(); ++id) gguf.scores[id] = -1e9f;
  const auto tokenizer = Tokenizer::from_json(tokenizer_json(gguf));
  for (std::size_t length = 1; length < 70; ++length) {
    const std::string spaces(length, ' ');
    for (const std::string& text : {spaces, "a" + spaces + "a", spaces + "a" + spaces}) {
      ASSERT_EQ(tokenizer.encode(text), cut_into_pieces(gguf, text)) << length;
    }
  }
}

TEST(GgufTokenizer, PiecesThatCannotBeRebuiltExactlyAreRefused) {
  auto tied = pieces_vocabulary({"a", "b", "ab", "ba"});
  tied.scores[tied.scores.size() - 1] = tied.scores[tied.scores.size() - 2];
  EXPECT_THAT(error_of([&] { tokenizer_json(tied); }), HasSubstr("same score"));
  const auto lacking = pieces_vocabulary({"a", "ab"});
  EXPECT_THAT(error_of([&] { tokenizer_json(lacking); }), HasSubstr("\"b\" of \"ab\" is not a token"));
  auto byteless = pieces_vocabulary({"a"});
  byteless.tokens[3 + 0x41] = "elsewhere";
  EXPECT_THAT(error_of([&] { tokenizer_json(byteless); }), HasSubstr("<0x41>"));
  auto scoreless = pieces_vocabulary({"a"});
  scoreless.scores.clear();
  EXPECT_THAT(error_of([&] { tokenizer_json(scoreless); }), HasSubstr("0 scores"));
}

TEST(GgufTokenizer, PiecesOpenWithABosUnlessToldOtherwise) {
  auto gguf = pieces_vocabulary({"▁", "a", "▁a"});
  const auto tokenizer = Tokenizer::from_json(tokenizer_json(gguf));
  EXPECT_THAT(tokenizer.encode("a", true), ElementsAre(1, 261));
  EXPECT_THAT(tokenizer.encode("<s>a"), ElementsAre(1, 261));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a a")), "a a");
  EXPECT_EQ(tokenizer.decoder_kind(), DecoderKind::pieces_without_first_space);
}

TEST(GgufTokenizer, OtherTokenizersCannotBecomeGguf) {
  const auto tokenizer = Tokenizer::from_json(tokenizer_json(pieces_vocabulary({"▁", "a"})));
  EXPECT_THAT(error_of([&] { gguf_metadata(tokenizer); }), HasSubstr("byte-level BPE"));
}

}  // namespace
}  // namespace rlhf::text
