// Generation: 32 prompts of 32 tokens, 64 new ones each, sampled from the whole vocabulary (peers/generation.py).
#include "benchmarks/measure.h"
#include "rlhf/core/clock.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/model_files.h"

namespace rlhf::benchmarks {
namespace {

struct Settings : Common {
  std::int64_t prompts = 32, new_tokens = 64, repeats = 3;

  void fields(Fields& f) {
    Common::fields(f);
    f.field("prompts", prompts, "prompts decoded together");
    f.field("new_tokens", new_tokens, "tokens sampled per prompt");
    f.field("repeats", repeats, "measured repeats, after a warm-up");
  }
};

void run(std::span<const std::string> arguments) {
  Settings settings;
  apply_flags(fields_of(settings), arguments);
  prepare(settings);
  const auto loaded = models::load_model(settings.model);
  const auto workload = read_workload(settings.workload);
  std::vector<data::Prompt> prompts;
  for (std::int64_t i = 0; i < settings.prompts; ++i)
    prompts.push_back({.id = std::to_string(i), .ids = workload.prompts.at(i % workload.prompts.size())});

  auto seconds_of = [&](std::int64_t new_tokens, std::uint64_t seed) {
    const auto start = steady_seconds();
    const auto completions = generation::generate(*loaded.model, loaded.text, prompts,
                                                  {.max_new_tokens = new_tokens, .seed = seed, .ignore_eos = true});
    return completions.size() == prompts.size() ? steady_seconds() - start : 0.0;
  };
  seconds_of(std::min<std::int64_t>(8, settings.new_tokens), 0);
  seconds_of(settings.new_tokens, 1);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < settings.repeats; ++i) seconds.push_back(seconds_of(settings.new_tokens, 2 + i));
  const std::vector<double> tokens(seconds.size(), static_cast<double>(settings.prompts * settings.new_tokens));
  report("generation", settings, seconds, tokens);
}

}  // namespace
}  // namespace rlhf::benchmarks

int main(int argc, char** argv) { return rlhf::benchmarks::guarded(argc, argv, rlhf::benchmarks::run); }
