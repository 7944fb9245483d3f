#include "rlhf/rewards/vader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/rewards/packaged_file.h"
#include "tests/rewards/completions.h"

namespace rlhf::rewards {
namespace {

using Json = nlohmann::json;

class VaderTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      packaged_file("vader", "vader_lexicon.txt");
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    vader.emplace(Vader::load_packaged());
  }
  std::optional<Vader> vader;
};

std::string shown(const Polarity& p) {
  std::ostringstream text;
  text << p.negative << ' ' << p.neutral << ' ' << p.positive << ' ' << p.compound;
  return text.str();
}

bool equal(const Polarity& p, double negative, double neutral, double positive, double compound) {
  return p.negative == negative && p.neutral == neutral && p.positive == positive && p.compound == compound;
}

TEST_F(VaderTest, WorkedByHand) {
  // good = 1.9; 1.9 / sqrt(1.9^2 + 15) = 0.4404. Two neutral words: pos = 2.9 / (2.9 + 2) = 0.592.
  const auto plain = vader->polarity("soup is good");
  EXPECT_EQ(plain.compound, 0.4404);
  EXPECT_EQ(plain.positive, 0.592);
  EXPECT_EQ(plain.neutral, 0.408);
  // not good: 1.9 * -0.74 = -1.406 -> -0.3412
  EXPECT_EQ(vader->compound("not good"), -0.3412);
  // very good: 1.9 + 0.293 = 2.193 -> 0.4927
  EXPECT_EQ(vader->compound("very good"), 0.4927);
  // GOOD among small letters: 1.9 + 0.733 = 2.633 -> 0.5622
  EXPECT_EQ(vader->compound("soup is GOOD"), 0.5622);
}

TEST_F(VaderTest, EmptyTextHasNoOpinion) {
  EXPECT_TRUE(equal(vader->polarity(""), 0, 0, 0, 0));
  EXPECT_TRUE(equal(vader->polarity(" \n"), 0, 0, 0, 0));
}

TEST_F(VaderTest, BrokenUtf8IsReadWithoutHarm) {
  EXPECT_GT(vader->compound("good \xff\xfe\xf0\x9f"), 0.0);
  EXPECT_GT(vader->compound("\xc3 good"), 0.0);
}

TEST_F(VaderTest, EqualsThePackageOnSentencesOfTheProject) {
  std::ifstream file(RLHF_SOURCE_DIR "/tests/reference/rewards/vader_sentences.json");
  const auto rows = Json::parse(file);
  ASSERT_GE(rows.size(), 400u);
  for (const auto& row : rows) {
    const auto text = row.at("text").get<std::string>();
    const auto polarity = vader->polarity(text);
    EXPECT_TRUE(equal(polarity, row.at("neg"), row.at("neu"), row.at("pos"), row.at("compound")))
        << row.dump() << "\n  found " << shown(polarity);
  }
}

std::string gunzipped(const std::string& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");
  std::array<char, 65536> part{};
  for (int n = 0; file != nullptr && (n = gzread(file, part.data(), part.size())) > 0;) text.append(part.data(), static_cast<std::size_t>(n));
  if (file != nullptr) gzclose(file);
  return text;
}

std::vector<std::string> texts(const std::filesystem::path& folder, const Json& source) {
  std::ifstream file(folder / source.at("file").get<std::string>(), std::ios::binary);
  const auto form = source.at("form").get<std::string>();
  std::vector<std::string> result;
  std::string line;
  for (int i = 0; i < source.at("limit") && std::getline(file, line); ++i) {
    if (form == "tab") line = line.substr(0, line.rfind('\t') == std::string::npos ? 0 : line.rfind('\t'));
    result.push_back(form == "lines" || form == "tab" ? line : Json::parse(line).at(form).get<std::string>());
  }
  return result;
}

TEST_F(VaderTest, EqualsThePackageOnTenThousandRealTexts) {
  const std::filesystem::path folder = RLHF_SOURCE_DIR "/../shared/data";
  if (!std::filesystem::exists(folder / "sst2")) GTEST_SKIP() << "the data sets are not there: " << folder;
  const auto golden = Json::parse(gunzipped(RLHF_SOURCE_DIR "/tests/reference/rewards/vader_real_text.json.gz"));
  std::size_t compared = 0, bytes = 0, wrong = 0;
  double seconds = 0.0;
  for (const auto& source : golden.at("sources")) {
    for (const auto& text : texts(folder, source)) {
      const auto found = golden.at("scores").find(sha256(text).substr(0, 12));
      if (found == golden.at("scores").end()) continue;
      const auto begin = std::chrono::steady_clock::now();
      const auto polarity = vader->polarity(text);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      bytes += text.size();
      ++compared;
      if (equal(polarity, (*found)[0], (*found)[1], (*found)[2], (*found)[3])) continue;
      if (++wrong <= 5) ADD_FAILURE() << text.substr(0, 300) << "\n  expected " << found->dump() << "\n  found " << shown(polarity);
    }
  }
  EXPECT_GE(compared, 10000u);
  EXPECT_EQ(wrong, 0u);
  RecordProperty("megabytes_per_second", std::to_string(static_cast<double>(bytes) / seconds / 1e6));
  std::printf("%zu texts, %.2f MB, %.1f MB/s\n", compared, static_cast<double>(bytes) / 1e6, static_cast<double>(bytes) / seconds / 1e6);
}

TEST_F(VaderTest, RewardScoresTheCompletionAlone) {
  const auto scores = Answers({"I love it", "I hate it"}).scored_by(vader_reward(*vader));
  EXPECT_EQ(scores[0].value, vader->compound("I love it"));
  EXPECT_LT(scores[1].value, 0.0);
  EXPECT_GT(scores[0].parts.at("positive"), scores[0].parts.at("negative"));
}

TEST(VaderFiles, AWrongValenceIsNamedWithItsLine) {
  const auto folder = std::filesystem::path(testing::TempDir());
  const auto lexicon = folder / "lexicon.txt", emoji = folder / "emoji.txt";
  std::ofstream(lexicon) << "good\t1.9\nbad\tvery\n";
  std::ofstream(emoji) << "";
  try {
    Vader::load(lexicon, emoji);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.where(), testing::EndsWith("lexicon.txt:2"));
    EXPECT_THAT(error.problem(), testing::HasSubstr("'bad'"));
  }
}

TEST(VaderFiles, AMissingPackageSaysWhatToDo) {
  setenv("RLHF_MODELS", testing::TempDir().c_str(), 1);
  EXPECT_THAT([] { packaged_file("vader", "nothing.txt"); },
              testing::Throws<Error>(testing::Property(&Error::fix, testing::HasSubstr("RLHF_MODELS"))));
  unsetenv("RLHF_MODELS");
}

}  // namespace
}  // namespace rlhf::rewards
