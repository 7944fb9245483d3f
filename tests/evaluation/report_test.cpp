#include "rlhf/evaluation/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/evaluation/detail/chart.h"
#include "rlhf/evaluation/detail/html.h"
#include "tests/evaluation/synthetic_run.h"

namespace rlhf::evaluation {
namespace {

using testing::HasSubstr;
using testing::Not;

std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("report_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// Every tag that is opened is closed, in order. Good enough to catch a broken section.
void expect_balanced(const std::string& html) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z][a-z0-9]*)([^>]*)>");
  const auto body = html.substr(html.find("<body>"));
  for (auto at = std::sregex_iterator(body.begin(), body.end(), tag); at != std::sregex_iterator(); ++at) {
    const std::string name = (*at)[2], rest = (*at)[3];
    if (rest.ends_with('/')) continue;
    if ((*at)[1].length() == 0) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << "</" << name << ">";
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    }
  }
  // The search began at <body>, so </html> finds nothing to close.
}

TEST(Report, TellsTheStoryOfAGoodRun) {
  const auto folder = fresh_folder("improved");
  write_synthetic_run(folder, Story::improved);
  const auto page = read_file(write_report(folder));
  EXPECT_EQ(page, report_page(folder));
  EXPECT_THAT(page, HasSubstr("class='verdict improved'"));
  EXPECT_THAT(page, HasSubstr("Win rate against the start"));
  for (const char* id :
       {"scores", "samples", "behaviour", "reward-model", "training", "cost", "evaluations", "settings"}) {
    EXPECT_THAT(page, HasSubstr("<section id='" + std::string(id) + "'>"));
    EXPECT_THAT(page, HasSubstr("<a href='#" + std::string(id) + "'>"));
  }
  EXPECT_THAT(page, HasSubstr("target 6 \u00b1 25%"));
  EXPECT_THAT(page, HasSubstr("under the window &amp; a &lt;b&gt;lamp&lt;/b&gt;"));
  EXPECT_THAT(page, HasSubstr("10 settings, 4 of them not at their default"));
  EXPECT_THAT(page, HasSubstr("6 min 42 s"));
}

TEST(Report, NamesAnOveroptimisedRun) {
  const auto folder = fresh_folder("overoptimized");
  write_synthetic_run(folder, Story::overoptimized);
  const auto page = report_page(folder);
  EXPECT_THAT(page, HasSubstr("class='verdict overoptimized'"));
  EXPECT_THAT(page, HasSubstr("<b>Serious</b>"));
  EXPECT_THAT(page, HasSubstr("Keep the checkpoint of step"));
}

TEST(Report, IsSelfContainedAndWellFormed) {
  const auto folder = fresh_folder("contained");
  write_synthetic_run(folder, Story::improved);
  auto page = report_page(folder);
  for (const char* outside : {"http://", "https://", "<script", "<link", "<img", "url(", "@import"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_LT(page.size(), 400'000u);
  page.erase(page.rfind("</html>"));
  expect_balanced(page);
}

TEST(Report, ShowsWhatThereIs) {
  const auto folder = fresh_folder("little");
  EXPECT_THAT(report_page(folder), HasSubstr("<h1>report_little</h1>"));
  std::ofstream(folder / "evaluation.jsonl") << "{\"step\": 0, \"gold\": 0.5}\n{\"step\": 5, \"gold\": 0.7}\n";
  const auto page = report_page(folder);
  EXPECT_THAT(page, HasSubstr("Scores on held-out prompts"));
  EXPECT_THAT(page, HasSubstr("Gold score"));
  EXPECT_THAT(page, Not(HasSubstr("<section id='samples'>")));
  EXPECT_THAT(page, Not(HasSubstr("Win rate")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Report, DrawsWhatAFrozenRewardModelIsWorth) {
  const auto folder = fresh_folder("audit");
  EXPECT_THAT(report_page(folder), Not(HasSubstr("Frozen and retrained")));
  std::ofstream rows(folder / "audit.jsonl");
  for (const int seed : {1, 2})
    for (const int steps : {100, 200})
      rows << nlohmann::json{{"arm", "frozen"},
                             {"seed", seed},
                             {"steps", steps},
                             {"predicted", steps / 100.0},
                             {"earned", 0.5}}
           << "\n";
  rows.close();
  auto page = report_page(folder);
  EXPECT_THAT(page, HasSubstr("<section id='audit'>"));
  EXPECT_THAT(page, HasSubstr("paid by the model"));
  EXPECT_THAT(page, HasSubstr("earned in truth"));
  page.erase(page.rfind("</html>"));
  expect_balanced(page);
}

std::size_t count_of(const std::string& page, const std::string& part) {
  std::size_t count = 0;
  for (auto at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++count;
  return count;
}

/// What an agent that learnt from comparisons leaves: predicted = 2 earned + 1 in the second half of its episodes.
void write_learnt(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream returns(folder / "returns.jsonl"), metrics(folder / "metrics.jsonl");
  for (int i = 0; i < 1000; ++i)
    returns << nlohmann::json{{"step", i / 10},
                              {"env", 0},
                              {"length", 200},
                              {"earned", i},
                              {"predicted", i < 500 ? -i : 2 * i + 1}}
            << "\n";
  for (int i = 0; i < 4; ++i) {
    metrics << nlohmann::json{{"step", i}, {"rollout/steps", 100 * i}} << "\n";  // the policy's own rows have no labels
    metrics << nlohmann::json{{"step", i},
                              {"preferences/steps", 100 * i},
                              {"preferences/labels", 90 + i},
                              {"preferences/scheduled", 100 + i},
                              {"reward_model/accuracy", 0.9},
                              {"reward_model/heldout_accuracy", 0.8},
                              {"reward_model/correlation", nullptr}}
            << "\n";
  }
  nlohmann::json learnt{{"calibration",
                         {{"error", 0.03},
                          {"bins",
                           {{{"predicted", 0.6}, {"observed", 0.7}, {"pairs", 9}},
                            {{"predicted", 0.9}, {"observed", 0.8}, {"pairs", 9}}}}}}};
  for (int i = 0; i < 10; ++i) learnt["clips"].push_back({{"predicted", i}, {"earned", -i}});
  std::ofstream(folder / "learnt_reward.json") << learnt;
}

TEST(Report, ShowsWhatWasPredictedAndWhatWasEarned) {
  const auto folder = fresh_folder("learnt");
  write_learnt(folder);
  auto page = report_page(folder);
  EXPECT_THAT(page, HasSubstr("<section id='comparisons'>"));
  EXPECT_THAT(page, HasSubstr("over 1,000 episodes, 1.00 in the second half"));
  EXPECT_THAT(page, HasSubstr("Correlation \u22121.00 over 10 clips"));
  EXPECT_THAT(page, HasSubstr("Labels and their schedule"));
  EXPECT_THAT(page, HasSubstr("Is a margin worth what it says?"));
  EXPECT_THAT(page, Not(HasSubstr("correlation: ")));  // never measured: no curve
  const auto dots = count_of(page, "<title>episode ");
  EXPECT_GT(dots, 300u);
  EXPECT_LE(dots, 400u);
  page.erase(page.rfind("</html>"));
  expect_balanced(page);
}

TEST(Report, ShowsTheFirstRunOfEachArmThatLearntFromComparisons) {
  const auto folder = fresh_folder("learnt_arms");
  std::ofstream rows(folder / "arms.jsonl");
  for (const char* arm : {"true_reward", "labels", "offline", "no_l2"})
    for (const int seed : {1, 2}) {
      rows << nlohmann::json{{"arm", arm}, {"seed", seed}, {"return", 1.0}} << "\n";
      if (std::string(arm) != "true_reward")
        write_learnt(folder / "arms" / (std::string(arm) + "-" + std::to_string(seed)));
    }
  rows.close();
  auto page = report_page(folder);
  EXPECT_EQ(count_of(page, "<h3 class='arm'>"), 3u);
  EXPECT_THAT(page, Not(HasSubstr("<h3 class='arm'>true_reward")));
  EXPECT_THAT(page, HasSubstr("The first of 2 runs, whose correlations are \u22121.00 to \u22121.00"));
  EXPECT_THAT(page, HasSubstr("<summary>1 more arm</summary>"));
  page.erase(page.rfind("</html>"));
  expect_balanced(page);
}

/// A study of `arms`, five runs of each: the i-th arm's k-th run has i + k / 10 under `score`.
void write_arms(const std::filesystem::path& folder, const std::vector<std::string>& arms, const char* score) {
  std::ofstream rows(folder / "arms.jsonl", std::ios::app);
  for (std::size_t i = 0; i < arms.size(); ++i)
    for (int seed = 1; seed <= 5; ++seed)
      rows << nlohmann::json{{"arm", arms[i]}, {"seed", seed}, {score, double(i) + seed / 10.0}} << "\n";
}

std::string closed(std::string page) {
  page.erase(page.rfind("</html>"));
  expect_balanced(page);
  return page;
}

TEST(Report, EveryArmHasItsInterquartileMeanWithAnIntervalAndItsProfile) {
  const auto folder = fresh_folder("many_arms");
  std::vector<std::string> arms;
  for (int i = 0; i < 9; ++i) arms.push_back("arm" + std::to_string(i));
  write_arms(folder, arms, "return");
  const auto page = closed(report_page(folder));
  EXPECT_THAT(page, HasSubstr("<th scope='col'>Interquartile mean</th>"));
  EXPECT_THAT(page, HasSubstr("<td>0.30 <small>["));  // of 0.1 to 0.5, the ends cut
  EXPECT_THAT(page, HasSubstr("Interquartile mean of the runs"));
  EXPECT_EQ(count_of(page, "class='reach'"), 9u);
  EXPECT_THAT(page, HasSubstr("(3 of 3)"));  // the first arm and three others in each
  for (const auto& arm : arms) EXPECT_THAT(page, HasSubstr("dy='13'>" + arm + "</tspan>"));
  EXPECT_THAT(page, HasSubstr("<td>100%</td>"));  // the chance to beat the first arm
}

TEST(Report, ARecipesArmsAreComparedByTheirOwnScore) {
  const auto folder = fresh_folder("own_scores");
  write_arms(folder, {"pursuit_coach", "pursuit_tamer"}, "tracking");
  write_arms(folder, {"change_deep_coach", "change_deep_tamer"}, "second");
  write_arms(folder, {"inspector_alone", "inspector_helper"}, "truth");
  write_arms(folder, {"inspector_heldout"}, "alone_accuracy");
  const auto page = closed(report_page(folder));
  for (const char* study : {"In real time", "A change of mind", "Inspector"})
    EXPECT_THAT(page, HasSubstr("<h3 class='arm'>" + std::string(study) + "</h3>"));
  EXPECT_THAT(page, HasSubstr("Beats coach"));
  EXPECT_THAT(page, HasSubstr("runs whose tracking is above"));
  EXPECT_THAT(page, HasSubstr("runs whose truth is above"));
  EXPECT_THAT(page, HasSubstr("<th scope='row'>inspector_heldout</th>"));  // in the table of every number
}

TEST(Report, DrawsWhatWasSeenDuringLessonsAgainstTeachingTime) {
  const auto folder = fresh_folder("lessons");
  write_arms(folder, {"mountain_car_deep", "mountain_car_linear"}, "return");
  for (const char* arm : {"mountain_car_deep", "mountain_car_linear"})
    for (int seed = 1; seed <= 5; ++seed) {
      const auto part = folder / "arms" / (std::string(arm) + "-" + std::to_string(seed));
      std::filesystem::create_directories(part);
      std::ofstream(part / "session.jsonl") << R"({"session": 1, "settings": {"rate": 10.0}})"
                                            << "\n{\"action\": 1}\n";
      std::ofstream looks(part / "curve.jsonl");
      for (int steps = 600; steps <= 3000; steps += 600)
        looks << nlohmann::json{{"steps", steps}, {"signals", steps / 4}, {"return", seed - 200 + steps / 100}} << "\n";
    }
  const auto page = closed(report_page(folder));
  EXPECT_THAT(page, HasSubstr("minutes of teaching"));
  EXPECT_THAT(page, HasSubstr("return when looked at during the lesson, unnoticed: mean over 5 runs"));
  EXPECT_THAT(page, HasSubstr("dashed: deep"));
  EXPECT_THAT(page, HasSubstr("deep: from \u2212191 to \u2212167"));  // means over the five runs
  EXPECT_EQ(count_of(page, "class='interval'"), 2u);
}

/// What a study of judging with help leaves in the folders of its runs.
void write_help(const std::filesystem::path& folder) {
  write_arms(folder, {"inspector_alone", "inspector_helper"}, "truth");
  std::ofstream rows(folder / "arms.jsonl", std::ios::app);
  for (int seed = 1; seed <= 2; ++seed) {
    rows << nlohmann::json{{"arm", "inspector_heldout"}, {"seed", seed}, {"pairs", 100}} << "\n";
    rows << nlohmann::json{{"arm", "depth_accuracy"},
                           {"seed", seed},
                           {"depth_1_error_5_single", 0.8},
                           {"depth_2_error_5_single", 0.9}}
         << "\n";
    rows << nlohmann::json{{"arm", "inspector_alone"}, {"seed", seed}, {"best_of_1_truth", 10}, {"best_of_4_truth", 12}}
         << "\n";
    const auto heldout = folder / "arms" / ("inspector_heldout-" + std::to_string(seed));
    const auto alone = folder / "arms" / ("inspector_alone-" + std::to_string(seed));
    for (const auto& part : {heldout, alone}) std::filesystem::create_directories(part);
    std::ofstream(heldout / "by_faults.csv")
        << "condition,faults,pairs,right\nalone,0,40,20\nalone,1,60,40\nhelper,0,40,36\nhelper,1,60,44\n";
    std::ofstream(alone / "frozen.csv") << "rollouts,predicted,truth\n0,-6.0,15.0\n30,-5.0,12.0\n";
  }
}

TEST(Report, ShowsWhatHelpDoesToJudgements) {
  const auto folder = fresh_folder("help");
  write_help(folder);
  const auto page = closed(report_page(folder));
  EXPECT_THAT(page, HasSubstr("<section id='help'>"));
  EXPECT_THAT(page, HasSubstr("alone: 60%, 53% to 67%. helper: 80%"));  // 120 and 160 of 200 pairs, Wilson
  EXPECT_THAT(page, HasSubstr("helper, 0 faults: 72 of 80 right"));
  EXPECT_THAT(page, HasSubstr("alone: from 15 to 12"));
  EXPECT_THAT(page, HasSubstr("alone: from 0 to 1"));
  EXPECT_THAT(page, HasSubstr("alone: from 10 to 12"));
  EXPECT_THAT(page, HasSubstr("5% errors: from 80% to 90%"));
}

TEST(Report, ShowsResultsThatAreNoArmsWithTheirIntervals) {
  const auto folder = fresh_folder("results");
  write_arms(folder, {"pursuit_coach", "pursuit_tamer"}, "tracking");
  std::ofstream(folder / "results.json") << R"({"coach_action": 1.0, "coach_action_low": 0.9, "coach_action_high": 1.1,
      "pursuit_coach_reached": 34, "pursuit_coach_reached_low": 31, "pursuit_coach_reached_high": 37, "alone": 2})";
  const auto page = closed(report_page(folder));
  EXPECT_THAT(page, HasSubstr("Other results. coach_action: 1, 0.90 to 1.10. \""));
}

TEST(Report, ABrokenLineOfATableIsNamed) {
  const auto folder = fresh_folder("broken_table");
  write_help(folder);
  std::ofstream(folder / "arms/inspector_heldout-1/by_faults.csv")
      << "condition,faults,pairs,right\nalone,0,40\nalone,1,60,40\n";
  EXPECT_THAT([&] { report_page(folder); },
              testing::Throws<Error>(testing::Property(&Error::where, testing::EndsWith("by_faults.csv:2"))));
}

TEST(Report, EscapesWhatModelsAndPeopleWrite) {
  const auto folder = fresh_folder("escape");
  std::ofstream(folder / "run.json") << R"({"name": "<script>alert(1)</script>", "command": "a \"b\" <c>"})";
  std::ofstream(folder / "samples.jsonl")
      << R"({"step":0,"prompt_id":"a","sample":0,"prompt":"</td><img src=x>","completion":"\u0007x & y"})"
      << "\n"
      << R"({"step":1,"prompt_id":"a","sample":0,"prompt":"</td><img src=x>","completion":"<!--"})"
      << "\n";
  const auto page = report_page(folder);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("<!--")));
  EXPECT_THAT(page, HasSubstr("x &amp; y"));
}

TEST(Report, ABrokenLineIsNamedUnlessItIsTheLast) {
  const auto folder = fresh_folder("broken");
  std::ofstream(folder / "metrics.jsonl") << "{\"step\": 1}\n{\"step\": \n{\"step\": 3}\n";
  EXPECT_THAT([&] { report_page(folder); },
              testing::Throws<Error>(testing::Property(&Error::where, testing::EndsWith("metrics.jsonl:2"))));
  EXPECT_THAT([&] { report_page(folder / "nowhere"); },
              testing::Throws<Error>(testing::Property(&Error::problem, HasSubstr("no run folder"))));
}

TEST(Html, Numbers) {
  using namespace detail;
  EXPECT_EQ(fixed(-0.2, 2), "\u22120.20");
  EXPECT_EQ(fixed(-0.001, 2), "0.00");
  EXPECT_EQ(fixed(NAN, 2), "\u2013");
  EXPECT_EQ(signed_fixed(0.5, 1), "+0.5");
  EXPECT_EQ(grouped(1204331), "1,204,331");
  EXPECT_EQ(percent(0.876), "88%");
  EXPECT_EQ(short_number(0.0321), "0.032");
  EXPECT_EQ(short_number(18.34), "18.3");
  EXPECT_EQ(duration(402), "6 min 42 s");
  EXPECT_EQ(duration(7500), "2 h 05 min");
  EXPECT_EQ(escape("a<b>&\"\x01\xff"), "a&lt;b&gt;&amp;&quot;\ufffd");
}

TEST(Chart, TicksAreRoundAndCoverTheRange) {
  EXPECT_THAT(detail::round_ticks(0.0, 1.0), testing::ElementsAre(0.0, 0.25, 0.5, 0.75, 1.0));
  EXPECT_THAT(detail::round_ticks(3.0, 3.0).size(), testing::AllOf(testing::Ge(3u), testing::Le(7u)));
  for (const auto& [low, high] : {std::pair(-0.013, 0.021), {12.0, 987.0}, {-5.0, 5.0}, {0.51, 0.99}}) {
    const auto ticks = detail::round_ticks(low, high);
    EXPECT_LE(ticks.front(), low + 1e-9);
    EXPECT_GE(ticks.back(), high - 1e-9);
    EXPECT_THAT(ticks.size(), testing::AllOf(testing::Ge(3u), testing::Le(7u)));
  }
}

TEST(Chart, TheMeanIsOverThePointsAround) {
  const auto mean = detail::smoothed({{.x = 0, .y = 1}, {.x = 1, .y = 3}, {.x = 2, .y = 8}, {.x = 3, .y = 1}}, 3);
  EXPECT_EQ(mean[0].y, 2);
  EXPECT_EQ(mean[1].y, 4);
  EXPECT_EQ(mean[2].y, 4);
  EXPECT_EQ(mean[3].y, 4.5);
}

TEST(Chart, AScatterHasDotsAndNothingElse) {
  detail::Chart chart{.title = "t",
                      .caption = "",
                      .x_name = "",
                      .series = {{.name = "both",
                                  .tone = "learned",
                                  .points = {{.x = 0, .y = 5}, {.x = 10, .y = -1000, .note = "far out"}},
                                  .scatter = true}}};
  const auto svg = detail::figure(chart);
  EXPECT_EQ(count_of(svg, "<circle"), 2u);
  EXPECT_THAT(svg, HasSubstr("far out"));
  EXPECT_THAT(svg, HasSubstr("both: 2 points"));
  EXPECT_THAT(svg, Not(HasSubstr("class='line'")));
  EXPECT_THAT(svg, Not(HasSubstr("class='end")));
}

TEST(Chart, WithoutPointsThereIsNoFigure) {
  EXPECT_EQ(detail::figure({.title = "t", .caption = "", .x_name = "", .series = {}}), "");
}

}  // namespace
}  // namespace rlhf::evaluation
