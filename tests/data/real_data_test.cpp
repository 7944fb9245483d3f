#include <gtest/gtest.h>

#include <filesystem>

#include "rlhf/core/error.h"
#include "rlhf/data/preflight.h"
#include "rlhf/data/readers/rows.h"
#include "tests/data/tiny_text.h"

namespace rlhf::data {
namespace {

/// Public data beside the checkout; a clone alone does not have it.
std::filesystem::path real(const std::string& name) {
  return std::filesystem::path(RLHF_SOURCE_DIR) / "../shared/data" / name;
}

#define SKIP_WITHOUT(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "this test needs public data at " << (path)

TEST(RealData, HhDialoguesSplitIntoPromptAndReplies) {
  const auto path = real("hh-rlhf/harmless-base.test.jsonl");
  SKIP_WITHOUT(path);
  const auto rows = read_preferences(path);
  ASSERT_EQ(rows.size(), 2312u);
  std::int64_t at_a_turn = 0;
  for (const auto& row : rows) at_a_turn += row.prompt.text.ends_with("\n\nAssistant:") ? 1 : 0;
  EXPECT_EQ(at_a_turn, 2312);
  EXPECT_EQ(rows[0].prompt.text + rows[0].items[0].text, rows[0].prompt.row["chosen"]);
  EXPECT_EQ(rows[0].prompt.text + rows[0].items[1].text, rows[0].prompt.row["rejected"]);

  const std::span<const Preference> some(rows.data(), 300);
  const auto out = prepare(some, tiny_text(), path.string(), {.encode = {}, .allow_drops = true});
  EXPECT_GT(out.report.kept, 290);
  for (std::size_t i = 0; i < out.rows.size(); ++i)
    EXPECT_NE(out.rows[i].items[0], out.rows[i].items[1]) << out.where[i];
}

TEST(RealData, OasstPairsAndPrompts) {
  SKIP_WITHOUT(real("oasst1-100/pairs.jsonl"));
  EXPECT_EQ(read_preferences(real("oasst1-100/pairs.jsonl")).size(), 754u);
  const auto prompts = read_prompts(real("oasst1-100/prompts_250.jsonl"));
  EXPECT_EQ(prompts.size(), 250u);
  EXPECT_EQ(prompts[0].text, "Can you tell me about GLaDOS?");
}

TEST(RealData, AForeignShapeIsNamedNotGuessed) {
  const auto path = real("self-instruct/seed_tasks.jsonl");
  SKIP_WITHOUT(path);
  try {
    read_demonstrations(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::bad_data);
    EXPECT_NE(error.problem().find("\"instances\", \"instruction\""), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rlhf::data
