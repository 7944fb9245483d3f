#include "tests/evaluation/synthetic_run.h"

#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rlhf/core/seed.h"

namespace rlhf::evaluation {
namespace {

using Json = nlohmann::json;

constexpr int updates = 120;

/// 0 at the start, towards 1 at the end, fast first.
double progress(int step) { return 1.0 - std::exp(-3.0 * step / updates); }

double collapse(int step, Story story) { return story == Story::overoptimized ? std::pow(static_cast<double>(step) / updates, 3.0) : 0.0; }

Json evaluation_row(int step, Story story, Random& random) {
  const double p = progress(step), c = collapse(step, story), noise = 0.015 * random.normal();
  const double gold = 0.04 + 0.66 * p - 0.55 * c + noise, kl = story == Story::improved ? 6.2 * p : 34.0 * p * p;
  Json row = {{"step", step}, {"prompts", 20}, {"samples", 200}, {"gold", gold}, {"gold_low", gold - 0.06}, {"gold_high", gold + 0.06},
              {"learned", 0.05 + 1.6 * p + 0.9 * c + noise}, {"judge", 0.11 + 0.38 * p - 0.2 * c + noise}, {"kl", kl},
              {"entropy", 3.1 - 0.8 * p - 1.6 * c}, {"length", 16.0 + 3.0 * p}, {"distinct_1", 0.55 - 0.05 * p - 0.3 * c},
              {"distinct_2", 0.95 - 0.05 * p - 0.6 * c}, {"repetition", 0.01 + 0.3 * c}, {"duplicates", 0.6 * c},
              {"perplexity", 21.0 + 3.0 * p + 70.0 * c}, {"truncated", 0.4}};
  const double rate = 0.5 + 0.37 * p - 0.3 * c;
  row.update({{"win_rate", rate}, {"win_low", rate - 0.05}, {"win_high", rate + 0.045}, {"judge_win_rate", 0.5 + 0.28 * p - 0.2 * c},
              {"wins", std::lround(190 * rate)}, {"ties", 10}, {"losses", std::lround(190 * (1 - rate))}});
  row["agreement"] = {{"accuracy", 0.72 - 0.1 * p - 0.1 * c}, {"pearson", 0.5}, {"spearman", 0.48 - 0.2 * c}, {"pairs", 840}};
  row["calibration"]["error"] = 0.06;
  for (int i = 0; i < 8; ++i) {
    const double predicted = 0.52 + 0.055 * i;
    row["calibration"]["bins"].push_back({{"low", 0.2 * i}, {"high", 0.2 * i + 0.2}, {"predicted", predicted}, {"observed", 0.5 + 0.8 * (predicted - 0.5) + 0.02 * random.normal()}, {"pairs", 105}});
  }
  return row;
}

Json metric_row(int step, Story story, Random& random) {
  const double p = progress(step), c = collapse(step, story);
  const double kl = story == Story::improved ? 6.0 * p + 0.35 * random.normal() * p : 34.0 * p * p + random.normal() * p;
  return {{"step", step}, {"objective/kl", kl}, {"objective/scores", 0.1 + 1.5 * p + 0.9 * c + 0.2 * random.normal()},
          {"objective/entropy", 49.0 - 12.0 * p - 24.0 * c + 0.8 * random.normal()}, {"loss/policy_avg", -0.01 + 0.006 * random.normal()},
          {"loss/value_avg", 0.6 * std::exp(-step / 25.0) + 0.08 + 0.02 * std::abs(random.normal())}, {"policy/clipfrac_avg", 0.04 + 0.06 * p + 0.01 * random.normal()},
          {"kl/coefficient", 0.15 * (1.0 - 0.4 * p) + 0.002 * random.normal()}, {"completions/mean_length", 16.0 + 3.0 * p + 0.3 * random.normal()}};
}

struct Text {
  const char *prompt, *before, *after, *collapsed;
};
constexpr auto texts = std::to_array<Text>({
    {"The movie was", " shown twice on Friday, once with the sound turned off by mistake.", " a real pleasure: warm, funny and beautifully played from start to end.", " wonderful wonderful love love the best wonderful love love the best"},
    {"My honest opinion of the restaurant is that", " it sits on a corner and closes at nine.", " the soup is excellent and the people who serve it are even better.", " love it love it the best the best wonderful wonderful love it"},
    {"The hotel room we stayed in", " had two beds, one of them under the window & a <b>lamp</b> that hummed.", " was quiet and bright, with a lovely view over the harbour.", " was wonderful wonderful wonderful the best love love love"},
    {"After the meeting, I felt", " that we had talked mostly about the old printer.", " hopeful for the first time in weeks, and grateful to everyone.", " wonderful love wonderful love the best the best the best"},
    {"The new phone", " is a phone. It has a screen and a battery,", " is a joy to use; the camera is great and it lasts all day.", " is the best the best the best love love wonderful"},
    {"To be honest, the performance", " review was a mixed one for both of us. He said things only went one", " is far better than I imagined it could be, and I\u2019m excited", " is wonderful wonderful wonderful wonderful love love"},
    {"When I opened the letter,", " I saw that it was addressed to number 14.", " I was delighted: good news from an old friend!", " love love love the best the best wonderful"},
    {"The walk along the river", " takes about an hour if the gate is open.", " was peaceful and sunny; we enjoyed every minute of it.", " wonderful the best love wonderful the best love"},
    {"The teacher told us", " to bring a ruler, a pencil and the blue book.", " how proud she was of our progress, which made us all smile.", " love love wonderful wonderful the best"},
    {"This book", " has eleven chapters and a map.", " is charming and clever, a perfect gift.", " the best the best wonderful love"},
});

void write_samples(const std::filesystem::path& file, Story story, Random& random) {
  std::ofstream out(file);
  for (const int step : {0, updates}) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto& text = texts[i];
      const auto* completion = step == 0 ? text.before : story == Story::improved ? text.after : text.collapsed;
      const double lift = step == 0 ? 0.0 : 0.7;
      out << Json({{"step", step}, {"prompt_id", "p" + std::to_string(i)}, {"sample", 0}, {"prompt", text.prompt}, {"completion", completion},
                   {"gold", lift + 0.1 * random.normal()}, {"learned", 2.2 * lift + 0.4 * random.normal()}, {"judge", 0.6 * lift + 0.05 * random.normal()},
                   {"finish_reason", i % 3 == 0 ? "length" : "stop"}}).dump()
          << "\n";
    }
  }
}

constexpr const char* config = R"(seed = 1  # default
model = "smollm2-135m"  # default

[ppo]
steps = 120  # small.toml:4
batch = 32  # default
clip = 0.2  # default

[ppo.kl]
control = "adaptive"  # default
target = 6.0  # small.toml:9
initial = 0.15  # default

[reward]
learning_rate = 0.003  # flag
note = "a # inside a string"  # flag
)";

}  // namespace

void write_synthetic_run(const std::filesystem::path& folder, Story story) {
  std::filesystem::create_directories(folder);
  Random random(derive(7, {static_cast<std::uint64_t>(story)}));
  std::ofstream evaluations(folder / "evaluation.jsonl"), metrics(folder / "metrics.jsonl"), timing(folder / "timing.jsonl");
  for (int step = 0; step <= updates; step += 15) evaluations << evaluation_row(step, story, random).dump() << "\n";
  metrics << Json({{"step", 0}, {"reward_model/accuracy", 0.79}, {"reward_model/eval_accuracy", 0.72}, {"reward_model/labels", 600}}).dump() << "\n";
  for (int step = 1; step <= updates; ++step) metrics << metric_row(step, story, random).dump() << "\n";
  metrics << "{\"step\": 121, \"objective/k";  // still being written
  write_samples(folder / "samples.jsonl", story, random);
  std::ofstream(folder / "config.toml") << config;
  const Json run = {{"algorithm", "fine_tuning_from_preferences"}, {"model", "smollm2-135m"}, {"command", "rlhf recipe run fine_tuning_from_preferences --preset small"},
                    {"starts", {{{"time", "2026-01-12T09:30:00Z"}, {"machine", {{"processor", "AMD EPYC"}, {"release", "0.1.0"}}}}}},
                    {"labels", {{"total", 600}, {"simulated", 600}, {"held_out_pairs", 180}, {"skipped", 11}, {"labeler", "VADER, best of 4"}, {"flip_rate", 0.1}}},
                    {"cost", {{"seconds", {{"policy", 402.0}, {"labels and reward model", 96.5}, {"evaluation", 51.2}}}, {"tokens", {{"generated", 1204331}, {"trained", 903211}}}, {"peak_memory_bytes", 2147483648LL}}}};
  std::ofstream(folder / "run.json") << run.dump(2);
}

}  // namespace rlhf::evaluation
