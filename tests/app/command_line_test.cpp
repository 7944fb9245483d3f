#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/app/program.h"

namespace rlhf::app {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::vector<std::string> verbs = {"generate", "score", "chat", "serve", "plan", "selftest", "export", "merge", "doctor"};

TEST(CommandLine, NothingShowsTheVerbs) {
  const auto outcome = run({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.output, IsEmpty());
  for (const auto& verb : verbs) EXPECT_THAT(outcome.errors, HasSubstr(verb));
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_EQ(run({"--help"}).output, outcome.errors);
}

TEST(CommandLine, HelpOfEveryVerbListsItsSettings) {
  for (const auto& verb : verbs) {
    const auto outcome = run({verb, "--help"});
    EXPECT_EQ(outcome.code, 0) << outcome.errors;
    EXPECT_THAT(outcome.output, AllOf(StartsWith("usage: rlhf " + verb), HasSubstr("  --"))) << verb;
  }
  EXPECT_THAT(run({"help", "generate"}).output, HasSubstr("--repetition-penalty"));
  EXPECT_EQ(run({"inspect", "--help"}).code, 0);
  EXPECT_THAT(run({"inspect", "tokens", "--help"}).output, HasSubstr("--text"));
}

TEST(CommandLine, VersionNamesWhatTheProgramIsMadeOf) {
  const auto outcome = run({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, AllOf(StartsWith("rlhf "), HasSubstr("LibTorch 2."), HasSubstr("BLAS"), HasSubstr("kernels")));
  const auto about = json::parse(run({"--threads", "1", "--version", "--json"}).output);
  EXPECT_EQ(about["threads"], 1);
  EXPECT_TRUE(about.contains("cpu_features"));
}

TEST(CommandLine, UnknownVerbsAndFlagsAreUsageErrorsWithASuggestion) {
  struct Case {
    Arguments arguments;
    std::string suggestion;
  };
  for (const auto& [arguments, suggestion] : std::vector<Case>{{{"generte"}, "generate"},
                                                               {{"generate", "--temprature", "1"}, "temperature"},
                                                               {{"inspect", "tokns"}, "tokens"},
                                                               {{"generate", "--model", "x", "--tpo-p=0.5"}, "top"},
                                                               {{"--frobnicate"}, "no such flag"},
                                                               {{"plan", "a", "b"}, "not expected"},
                                                               {{"generate", "-x"}, "short flag"},
                                                               {{"--threads", "none", "doctor"}, "threads"}}) {
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments.back();
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors, AllOf(StartsWith("error: "), HasSubstr(suggestion)));
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  }
}

TEST(CommandLine, ExitCodesFollowTheKindOfError) {
  EXPECT_EQ(run({"generate", "--model", tiny("llama_tied"), "--prompts", "/nowhere/prompts.jsonl"}).code, 3);
  EXPECT_EQ(run({"generate", "--model", tiny("llama_tied"), "--prompt", "a", "--temperature", "0"}).code, 2);
  EXPECT_EQ(run({"generate", "--model", tiny("llama_tied"), "--prompts", "-"}, "{not json}\n").code, 3);
  EXPECT_EQ(run({"generate", "--prompt", "a"}).code, 2);
  EXPECT_EQ(run({"doctor", "--model", "no-such-model-at-all"}).code, 5);
  EXPECT_EQ(run({"selftest", tiny("llama_tied"), "--lengths", "4", "--batches", "2", "--tolerance", "-1"}).code, 5);
  EXPECT_EQ(run({"chat", tiny("gpt2")}).code, 2);  // no chat template
}

TEST(CommandLine, ColourOnlyOnATerminalAndNeverWithNoColor) {
  EXPECT_THAT(run({"generte"}).errors, Not(HasSubstr("\033[")));
  EXPECT_THAT(run_on_terminal({"generte"}).errors, HasSubstr("\033[1;31merror:"));
  EXPECT_THAT(run_on_terminal({"generte"}, {{"NO_COLOR", "1"}}).errors, Not(HasSubstr("\033[")));
}

TEST(CommandLine, SettingsComeFromFilesEnvironmentAndFlagsInThisOrder) {
  const auto config = scratch_folder("settings") + "/few.toml";
  std::ofstream(config) << "max_new_tokens = 3\nignore_eos = true\n";
  const Arguments base{"generate", "--model", tiny("llama_tied"), "--prompt", "abc", "-c", config};
  const auto tokens = [](const Outcome& outcome) { return json::parse(outcome.output)["ids"].size(); };
  EXPECT_EQ(tokens(run(base)), 3u);
  EXPECT_EQ(tokens(run(base, "", {{"RLHF_MAX_NEW_TOKENS", "4"}})), 4u);
  for (const auto* flag : {"--max-new-tokens=5", "--max_new_tokens=5", "max_new_tokens=5"}) {
    auto arguments = base;
    arguments.push_back(flag);
    if (std::string(flag).starts_with("--")) {
      EXPECT_EQ(tokens(run(arguments, "", {{"RLHF_MAX_NEW_TOKENS", "4"}})), 5u) << flag;
    } else {
      EXPECT_EQ(run(arguments).code, 2);  // places are for what the usage names
    }
  }
}

TEST(CommandLine, SignalsEndItWithTheirExitCode) {
  const auto prompts = scratch_folder("signals") + "/prompts.jsonl";
  {
    std::ofstream file(prompts);
    for (int i = 0; i < 20000; ++i) file << "{\"prompt\": \"a\"}\n";
  }
  const Arguments long_work{"generate", "--model", tiny("llama_tied"), "--prompts", prompts, "--max-new-tokens", "100", "--ignore-eos"};
  const auto interrupted = run_and_signal(long_work, "\"completion\"", SIGINT);
  EXPECT_EQ(interrupted.code, 130);
  EXPECT_THAT(interrupted.errors, HasSubstr("interrupted"));
  EXPECT_EQ(run_and_signal(long_work, "\"completion\"", SIGTERM).code, 143);
}

}  // namespace
}  // namespace rlhf::app
