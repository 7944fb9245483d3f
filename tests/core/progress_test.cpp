#include "rlhf/core/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "rlhf/core/clock.h"
#include "rlhf/core/files.h"
#include "rlhf/core/log.h"
#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// A terminal and a clock in memory.
struct Screen {
  std::string text;
  double now = 0;

  ProgressOptions options(bool interactive, int width = 80) {
    return {.terminal = {.interactive = interactive, .colour = false, .width = width},
            .write = [this](std::string_view part) { text += part; },
            .clock = [this] { return now; }};
  }
};

TEST(Progress, DrawsABarOnATerminal) {
  Screen screen;
  Progress progress(screen.options(true, 63));
  progress.start("train", 100);
  screen.now = 10;
  progress.postfix("loss 0.5");
  progress.set(42);
  EXPECT_THAT(screen.text, EndsWith("\r\x1b[Ktrain:  42%|███▎    | 42/100 [00:10<00:13, 4.20it/s, loss 0.5]"));
  screen.text.clear();
  progress.advance();  // at once: too soon for another drawing
  EXPECT_EQ(screen.text, "");
  progress.finish();
  EXPECT_THAT(screen.text, HasSubstr("43/100"));
  EXPECT_THAT(screen.text, EndsWith("\n"));
}

TEST(Progress, WritesPlainLinesElsewhere) {
  Screen screen;
  Progress progress(screen.options(false));
  progress.start("rollout", 4);
  for (int i = 0; i < 4; ++i) {
    screen.now += 6;
    progress.advance();
  }
  progress.finish();
  EXPECT_EQ(screen.text,
            "rollout:  50% 2/4 [00:12<00:12, 6.00s/it]\n"
            "rollout: 100% 4/4 [00:24<00:00, 6.00s/it]\n"
            "rollout: 100% 4/4 [00:24<00:00, 6.00s/it]\n");
}

TEST(Progress, AnUnknownTotalAndAResumedRun) {
  Screen screen;
  Progress progress(screen.options(false));
  progress.start("read", 0);
  screen.now = 10;
  progress.advance(20);
  EXPECT_EQ(screen.text, "read: 20 [00:10, 2.00it/s]\n");
  screen.text.clear();
  progress.start("train", 100, 50);
  screen.text.clear();
  screen.now = 20;
  progress.set(60);  // 10 steps in 10 s: what came before does not count towards the rate
  EXPECT_EQ(screen.text, "train:  60% 60/100 [00:10<00:40, 1.00it/s]\n");
}

TEST(Progress, LinesGoAboveTheBar) {
  Screen screen;
  Progress progress(screen.options(true));
  progress.start("train", 2);
  screen.text.clear();
  progress.print("note");
  EXPECT_THAT(screen.text, MatchesRegex("\r\x1b\\[Knote\n\r\x1b\\[Ktrain:   0%.*"));
}

TEST(Progress, NeverWiderThanTheTerminal) {
  Screen screen;
  Progress progress(screen.options(true, 20));
  progress.start("a very long description", 1000000);
  EXPECT_EQ(screen.text, "\r\x1b[Ka very long descrip");
}

TEST(Progress, Quiet) {
  Screen screen;
  auto options = screen.options(true);
  options.quiet = true;
  Progress progress(options);
  progress.start("train", 2);
  progress.print("note");
  progress.finish();
  EXPECT_EQ(screen.text, "");
}

TEST(Terminal, DumbOnesGetPlainLines) {
  const char* before = std::getenv("TERM");
  const std::string kept = before ? before : "";
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(standard_error().interactive);
  EXPECT_FALSE(standard_error().colour);
  if (before)
    ::setenv("TERM", kept.c_str(), 1);
  else
    ::unsetenv("TERM");
}

TEST(Clock, Durations) {
  EXPECT_EQ(duration_as_text(59.9), "00:59");
  EXPECT_EQ(duration_as_text(3723), "1:02:03");
  EXPECT_EQ(duration_as_text(1.0 / 0.0), "?");
  EXPECT_THAT(utc_now(), MatchesRegex("2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z"));
}

TEST(Log, FileWithTimesPeopleWithout) {
  const ScratchFolder folder;
  std::string shown;
  Log log(folder / "log.txt", [&](std::string_view line) { shown += std::string(line) + "|"; });
  log.info("hello");
  log.warning("look");
  EXPECT_EQ(shown, "hello|warning: look|");
  EXPECT_THAT(read_file(folder / "log.txt"), MatchesRegex("[0-9T:-]+Z hello\n[0-9T:-]+Z warning: look\n"));
}

}  // namespace
}  // namespace rlhf
