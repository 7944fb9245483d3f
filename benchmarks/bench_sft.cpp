// Supervised fine-tuning: all weights, 8 texts of 64 to 256 tokens a step (peers/sft.py).
#include "benchmarks/measure.h"
#include "benchmarks/scratch_run.h"
#include "rlhf/algorithms/sft.h"
#include "rlhf/core/clock.h"
#include "rlhf/models/model_files.h"

namespace rlhf::benchmarks {
namespace {

struct Settings : Common {
  std::int64_t texts_per_step = 8, steps = 6, warmup = 3, micro_tokens = algorithms::SftConfig{}.micro_tokens;

  void fields(Fields& f) {
    Common::fields(f);
    f.field("texts_per_step", texts_per_step, "texts per optimiser step");
    f.field("steps", steps, "measured steps");
    f.field("warmup", warmup, "steps before them");
    f.field("micro_tokens", micro_tokens, "tokens per forward pass");
  }
};

void run(std::span<const std::string> arguments) {
  Settings settings;
  apply_flags(fields_of(settings), arguments);
  prepare(settings);
  const auto loaded = models::load_model(settings.model);
  const auto workload = read_workload(settings.workload);
  const auto step_count = settings.warmup + settings.steps;
  std::vector<data::Example> examples;
  double all_tokens = 0;
  for (std::int64_t i = 0; i < step_count * settings.texts_per_step; ++i) {
    const auto& ids = workload.texts.at(i % workload.texts.size());
    examples.push_back({.ids = ids, .mask = std::vector<std::uint8_t>(ids.size(), 1)});
    all_tokens += static_cast<double>(ids.size());
  }

  // The order of the texts is the trainer's own, so a step counts as an average one.
  std::vector<double> ends;
  ScratchRun scratch("bench-sft");
  algorithms::train(*loaded.model, examples,
                    algorithms::SftConfig{.batch = settings.texts_per_step, .learning_rate = 1e-5, .micro_tokens = settings.micro_tokens, .evaluate_every = 1},
                    {.write_model = [](const auto&) {}, .evaluate = [&](std::int64_t) { ends.push_back(steady_seconds()); }},
                    scratch.run());
  std::vector<double> seconds, tokens;
  for (std::size_t step = settings.warmup; step < ends.size(); ++step) {
    seconds.push_back(ends.at(step) - ends.at(step - 1));
    tokens.push_back(all_tokens / static_cast<double>(step_count));
  }
  report("sft", settings, seconds, tokens);
}

}  // namespace
}  // namespace rlhf::benchmarks

int main(int argc, char** argv) { return rlhf::benchmarks::guarded(argc, argv, rlhf::benchmarks::run); }
