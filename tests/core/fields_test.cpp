#include "rlhf/core/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Controller { fixed, adaptive };

struct KlConfig {
  double target = 6;
  Controller controller = Controller::adaptive;
  void fields(Fields& f) {
    f.field("target", target, "nats per completion");
    f.choice("controller", controller, {{"fixed", Controller::fixed}, {"adaptive", Controller::adaptive}},
             "how it moves");
  }
  void validate() const {
    if (target <= 0)
      throw Error({.category = Category::usage, .where = "target", .what = "must be positive", .fix = "Use 6."});
  }
};

struct TrainConfig {
  bool whiten = true;
  int epochs = 4;
  std::int64_t steps = 100;
  std::uint64_t seed = 0;
  double clip_range = 0.2;
  std::string name = "run";
  std::filesystem::path data;
  std::vector<std::string> stop = {"\n"};
  std::vector<double> weights;
  std::vector<std::int64_t> ids;
  std::optional<double> min_p;
  std::optional<std::string> adapter;
  KlConfig kl;

  void fields(Fields& f) {
    f.field("whiten", whiten, "normalise advantages");
    f.field("epochs", epochs, "passes over one batch");
    f.field("steps", steps, "updates");
    f.field("seed", seed, "of all randomness");
    f.field("clip_range", clip_range, "ratio kept within 1 ± this");
    f.field("name", name, "of the run");
    f.field("data", data, "JSONL");
    f.field("stop", stop, "texts that end a completion");
    f.field("weights", weights, "of the rewards");
    f.field("ids", ids, "tokens");
    f.field("min_p", min_p, "smallest share of the likeliest token");
    f.field("adapter", adapter, "PEFT folder");
    f.group("kl", kl, "penalty on the distance to the reference");
  }
};

std::string file_with(const ScratchFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / name) << text;
  return (folder / name).string();
}

TEST(Fields, ReadsEveryType) {
  TrainConfig config;
  load_toml_text(config, R"(
whiten = false
epochs = 2
steps = 1e6
seed = "18446744073709551615"
clip-range = 1
name = "été"
data = "a/b.jsonl"
stop = ["</s>", "\n\n"]
weights = [1, 0.5]
ids = [1, 2]
min_p = 0.05
adapter = "none"
kl = { target = 3.5, controller = "fixed" }
)",
                 "x.toml");
  EXPECT_FALSE(config.whiten);
  EXPECT_EQ(config.epochs, 2);
  EXPECT_EQ(config.steps, 1000000);
  EXPECT_EQ(config.seed, 18446744073709551615U);
  EXPECT_EQ(config.clip_range, 1.0);
  EXPECT_EQ(config.name, "été");
  EXPECT_EQ(config.data, "a/b.jsonl");
  EXPECT_THAT(config.stop, ElementsAre("</s>", "\n\n"));
  EXPECT_THAT(config.weights, ElementsAre(1.0, 0.5));
  EXPECT_THAT(config.ids, ElementsAre(1, 2));
  EXPECT_EQ(config.min_p, 0.05);
  EXPECT_EQ(config.adapter, std::nullopt);
  EXPECT_EQ(config.kl.target, 3.5);
  EXPECT_EQ(config.kl.controller, Controller::fixed);
}

TEST(Fields, LaterSourcesWin) {
  const ScratchFolder folder;
  const auto base = file_with(folder, "base.toml", "epochs = 2\nsteps = 5\nname = \"a\"\n[kl]\ntarget = 1\n");
  const auto overlay = file_with(folder, "overlay.toml", "steps = 6\nname = \"b\"\n");
  ::setenv("RLHF_NAME", "c", 1);
  ::setenv("RLHF_KL__TARGET", "2", 1);
  TrainConfig config;
  const auto origins = configure(config, {.files = {base, overlay}, .overrides = {"kl.target=3"}});
  ::unsetenv("RLHF_NAME");
  ::unsetenv("RLHF_KL__TARGET");
  EXPECT_EQ(config.epochs, 2);
  EXPECT_EQ(config.steps, 6);
  EXPECT_EQ(config.name, "c");
  EXPECT_EQ(config.kl.target, 3);
  EXPECT_EQ(
      origins,
      (Origins{{"epochs", base + ":1"}, {"steps", overlay + ":1"}, {"name", "RLHF_NAME"}, {"kl.target", "flag"}}));
  const auto toml = to_toml(config, origins);
  EXPECT_THAT(toml, HasSubstr("clip_range = 0.2  # default\n"));
  EXPECT_THAT(toml, HasSubstr("min_p = \"none\"  # default\n"));
  EXPECT_THAT(toml, HasSubstr("steps = 6  # " + overlay + ":1\n"));
  EXPECT_THAT(toml, HasSubstr("\n[kl]\ntarget = 3.0  # flag\ncontroller = \"adaptive\"  # default\n"));
}

TEST(Fields, FlagsComeInEveryForm) {
  TrainConfig config;
  apply_flags(fields_of(config),
              std::vector<std::string>{"--clip-range", "0.3", "--kl.target=2", "epochs=1", "--no-whiten", "stop=a,b",
                                       "weights=[1, 2.5]", "--min-p=0.1", "--steps", "-1", "ids="});
  EXPECT_EQ(config.clip_range, 0.3);
  EXPECT_EQ(config.kl.target, 2);
  EXPECT_EQ(config.epochs, 1);
  EXPECT_FALSE(config.whiten);
  EXPECT_THAT(config.stop, ElementsAre("a", "b"));
  EXPECT_THAT(config.weights, ElementsAre(1, 2.5));
  EXPECT_EQ(config.min_p, 0.1);
  EXPECT_EQ(config.steps, -1);
  EXPECT_TRUE(config.ids.empty());
  apply_flags(fields_of(config), std::vector<std::string>{"--whiten", "min_p=none"});
  EXPECT_TRUE(config.whiten);
  EXPECT_EQ(config.min_p, std::nullopt);
}

TEST(Fields, UnknownEnvironmentVariablesAreReported) {
  ::setenv("RLHF_CLIP_RAGNE", "1", 1);
  TrainConfig config;
  EXPECT_THAT(apply_environment(fields_of(config)), ::testing::Contains("RLHF_CLIP_RAGNE"));
  ::unsetenv("RLHF_CLIP_RAGNE");
}

struct BadToml {
  const char* text;
  const char* where;
  const char* what;
  const char* fix;
};

class FieldErrors : public ::testing::TestWithParam<BadToml> {};

TEST_P(FieldErrors, SayWhereWhatAndFix) {
  TrainConfig config;
  const auto error = error_of([&] { load_toml_text(config, GetParam().text, "x.toml"); });
  EXPECT_EQ(error.where(), GetParam().where);
  EXPECT_THAT(error.problem(), HasSubstr(GetParam().what));
  EXPECT_THAT(error.fix(), HasSubstr(GetParam().fix));
  EXPECT_EQ(to_json(config), to_json(TrainConfig{})) << "a refused value was kept";
}

INSTANTIATE_TEST_SUITE_P(
    Toml, FieldErrors,
    ::testing::Values(
        BadToml{"\n  clip_ragne = 1", "x.toml:2:3", "no setting \"clip_ragne\"", "Did you mean \"clip_range\"?"},
        BadToml{"target = 1", "x.toml:1:1", "no setting \"target\"", "Did you mean \"kl.target\"?"},
        BadToml{"[kl]\ntraget = 1", "x.toml:2:1", "no setting \"kl.traget\"", "Did you mean \"kl.target\"?"},
        BadToml{"zzzzzzzz = 1", "x.toml:1:1", "no setting", "--help"},
        BadToml{"epochs = \"two\"", "x.toml:1:10", "epochs is to be integer; found the text \"two\"", ""},
        BadToml{"epochs = 1.5", "x.toml:1:10", "found the number 1.5", ""},
        BadToml{"epochs = 3000000000", "x.toml:1:10", "epochs is to be integer; found 3000000000", ""},
        BadToml{"seed = -1", "x.toml:1:8", "integer >= 0; found -1", ""},
        BadToml{"whiten = 1", "x.toml:1:10", "true or false; found 1", ""},
        BadToml{"stop = \"a\"", "x.toml:1:8", "list of texts", ""},
        BadToml{"weights = [1, \"a\"]", "x.toml:1:11", "list of numbers; found the list [1,\"a\"]", ""},
        BadToml{"name = 1979-05-27", "x.toml:1:8", "name is to be text; found a table", ""},
        BadToml{"kl = 3", "x.toml:1:6", "\"kl\" is a group", "[kl]"},
        BadToml{"[kl]\ncontroller = \"adaptve\"", "x.toml:2:14", "one of fixed|adaptive; found the text \"adaptve\"",
                "Did you mean \"adaptive\"?"},
        BadToml{"clip = = 1", "x.toml:1:8", "this is not TOML", ""},
        BadToml{"epochs = 1\nepochs = 2", "x.toml:2:10", "this is not TOML", ""}));

TEST(Fields, FlagErrors) {
  TrainConfig config;
  const auto apply = [&](std::vector<std::string> flags) {
    return error_of([&] { apply_flags(fields_of(config), flags); });
  };
  EXPECT_THAT(apply({"--clip-ragne", "1"}).fix(), HasSubstr("clip_range"));
  EXPECT_THAT(apply({"--epochs"}).problem(), HasSubstr("a value is missing: integer"));
  EXPECT_THAT(apply({"epochs"}).fix(), HasSubstr("epochs=VALUE"));
  EXPECT_THAT(apply({"epochs=many"}).what(),
              HasSubstr("epochs=many: epochs is to be integer; found the text \"many\""));
  EXPECT_THAT(apply({"kl=1"}).problem(), HasSubstr("group"));
  EXPECT_EQ(apply({"epochs=1.5"}).category(), Category::usage);
}

TEST(Fields, ValidateNamesTheOrigin) {
  TrainConfig config;
  const auto error =
      error_of([&] { configure(config, {.files = {}, .environment = false, .overrides = {"kl.target=-1"}}); });
  EXPECT_EQ(std::string(error.what()), "kl.target (flag): must be positive. Use 6.");
}

TEST(Fields, AMissingFileNamesItsNeighbours) {
  const ScratchFolder folder;
  file_with(folder, "ppo.toml", "");
  TrainConfig config;
  const auto error = error_of([&] { load_toml(config, folder / "pp0.toml"); });
  EXPECT_EQ(error.category(), Category::bad_data);
  EXPECT_THAT(error.fix(), HasSubstr("ppo.toml"));
}

TEST(Fields, HelpIsComplete) {
  const auto help = help_text(TrainConfig{});
  EXPECT_THAT(help, HasSubstr("  --clip-range number                 ratio kept within 1 ± this (default: 0.2)\n"));
  EXPECT_THAT(help, HasSubstr("\nkl: penalty on the distance to the reference\n"));
  EXPECT_THAT(help, HasSubstr("--kl.controller fixed|adaptive"));
  EXPECT_THAT(help, HasSubstr("(default: none)"));
}

TEST(Fields, JsonGoesBothWays) {
  TrainConfig config;
  config.kl.controller = Controller::fixed;
  config.min_p = 0.25;
  const auto values = to_json(config);
  EXPECT_EQ(values["kl"]["controller"], "fixed");
  TrainConfig again;
  from_json(again, values);
  EXPECT_EQ(to_json(again), values);
  EXPECT_THAT(error_of([&] { from_json(again, {{"kl", {{"targt", 1}}}}, "request"); }).where(),
              HasSubstr("request: kl.targt"));
}

TEST(Fields, ANameListedTwiceIsOurMistake) {
  struct Twice {
    int a = 0;
    void fields(Fields& f) {
      f.field("a", a, "");
      f.field("a", a, "");
    }
  };
  EXPECT_THAT(error_of([] { fields_of(Twice{}); }).problem(), HasSubstr("listed twice"));
}

}  // namespace
}  // namespace rlhf
