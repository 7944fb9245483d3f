#include "rlhf/control/weights_file.h"

#include <ATen/core/grad_mode.h>

#include "rlhf/core/error.h"
#include "rlhf/core/safetensors.h"

namespace rlhf::control {

void write_weights(const std::filesystem::path& folder, const models::NamedWeights& weights) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, weight] : weights) tensors[name] = weight.detach();
  write_safetensors(folder / "agent.safetensors", tensors);
}

void read_weights(const std::filesystem::path& folder, const models::NamedWeights& weights) {
  const at::NoGradGuard no_gradient;
  const auto file = SafetensorsFile::open(folder / "agent.safetensors");
  for (auto [name, weight] : weights) {
    const auto stored = file.tensor(name);
    if (stored.sizes() != weight.sizes())
      throw Error({.category = Category::bad_data,
                   .where = (folder / "agent.safetensors").string(),
                   .what = "the weight " + name + " has another shape than this agent's",
                   .fix = "Take the settings that it was trained with."});
    weight.copy_(stored);
  }
}

}  // namespace rlhf::control
