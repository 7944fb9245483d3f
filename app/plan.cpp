#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/commands.h"
#include "app/flags.h"
#include "app/memory_plan.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/models/adapter_files.h"
#include "rlhf/models/gguf_config.h"
#include "rlhf/models/hf_folder.h"
#include "rlhf/models/model_location.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

struct PlanSettings {
  std::string model;
  TrainingShape training;

  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("algorithm", training.algorithm, "sft, reward_model, dpo, ppo or grpo");
    f.field("lora_on", training.lora, "train an adapter; --no-lora-on: every weight");
    f.group("lora", training.adapter, "the adapter");
    f.field("micro_tokens", training.micro_tokens, "tokens of one forward and backward pass");
    f.field("recompute", training.recompute, "make activations again in the backward pass");
    f.field("slots", training.slots, "sequences decoded at once (ppo, grpo)");
    f.field("sequence", training.sequence, "tokens of a prompt and its completion (ppo, grpo)");
  }
  void validate() const {
    for (const auto* known : {"sft", "reward_model", "dpo", "ppo", "grpo"}) {
      if (training.algorithm == known) return;
    }
    throw Error({.category = Category::usage, .where = "algorithm", .what = fmt::format("is \"{}\"", training.algorithm), .fix = "Known are sft, reward_model, dpo, ppo and grpo."});
  }
};

json config_of(const std::string& model, const std::filesystem::path& beside = {}) {
  const auto location = models::locate_model(model, beside);
  switch (location.format) {
    case models::ModelFormat::gguf: return models::config_from_gguf(models::GgufFile::open(location.path));
    case models::ModelFormat::adapter: return config_of(models::read_adapter_config(location.path).base, location.path);
    case models::ModelFormat::hugging_face: return models::read_json_object(location.path / "config.json");
  }
  return {};
}

std::int64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string name, unit; file >> name;) {
    std::int64_t kibibytes = 0;
    file >> kibibytes;
    std::getline(file, unit);
    if (name == "MemAvailable:") return kibibytes * 1024;
  }
  return 0;
}

/// What to change, the largest saving first.
std::string advice(const TrainingShape& training, const ModelSize& model, std::int64_t present) {
  std::string text;
  const auto consider = [&](const char* change, const TrainingShape& changed) {
    std::int64_t total = 0;
    for (const auto& part : memory_plan(model, changed)) total += part.bytes;
    if (total < present) text += fmt::format("  {:<22} saves {}\n", change, bytes_as_text(static_cast<std::uint64_t>(present - total)));
  };
  auto changed = training;
  changed.lora = true;
  consider("--lora-on", changed);
  changed = training;
  changed.recompute = true;
  consider("--recompute", changed);
  changed = training;
  changed.micro_tokens = std::max<std::int64_t>(256, training.micro_tokens / 4);
  consider(fmt::format("--micro-tokens {}", changed.micro_tokens).c_str(), changed);
  changed = training;
  changed.slots = std::max<std::int64_t>(8, training.slots / 4);
  consider(fmt::format("--slots {}", changed.slots).c_str(), changed);
  return text;
}

}  // namespace

int plan(const Invocation& call) {
  PlanSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf plan MODEL [--algorithm ppo] [settings]",
                            .description = "The memory that training needs, by component, before anything is loaded. Exit code 5 when it does not fit.",
                            .positional = {"model"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf plan smollm2-135m --algorithm ppo");
  const auto model = model_size(config_of(settings.model));
  const auto parts = memory_plan(model, settings.training);
  const auto total = std::accumulate(parts.begin(), parts.end(), std::int64_t{0}, [](auto sum, auto& part) { return sum + part.bytes; });
  const auto available = available_memory();
  const bool fits = available == 0 || total <= available;
  if (call.json) {
    json made = {{"parameters", model.parameters}, {"total_bytes", total}, {"available_bytes", available}, {"fits", fits}};
    for (const auto& part : parts) made["parts"][part.name] = part.bytes;
    std::cout << made.dump() << '\n';
  } else {
    for (const auto& part : parts) std::cout << fmt::format("{:<12} {:>10}  {}\n", part.name, bytes_as_text(static_cast<std::uint64_t>(part.bytes)), part.why);
    std::cout << fmt::format("{:<12} {:>10}  {} available: {}\n", "peak", bytes_as_text(static_cast<std::uint64_t>(total)),
                             bytes_as_text(static_cast<std::uint64_t>(available)), fits ? "fits" : "does not fit");
    const auto changes = advice(settings.training, model, total);
    if (!changes.empty()) std::cout << "\nTo need less:\n" << changes;
  }
  return fits ? 0 : static_cast<int>(Category::check);
}

}  // namespace rlhf::app
