#include "rlhf/models/ggml_type.h"

#include <utility>

namespace rlhf::models {
namespace {

constexpr std::pair<GgmlType, GgmlBlock> kBlocks[] = {
    {GgmlType::f32, {"F32", 1, 4}},       {GgmlType::f16, {"F16", 1, 2}},       {GgmlType::bf16, {"BF16", 1, 2}},
    {GgmlType::q8_0, {"Q8_0", 32, 34}},   {GgmlType::q4_0, {"Q4_0", 32, 18}},   {GgmlType::q4_1, {"Q4_1", 32, 20}},
    {GgmlType::q5_0, {"Q5_0", 32, 22}},   {GgmlType::q5_1, {"Q5_1", 32, 24}},   {GgmlType::q4_k, {"Q4_K", 256, 144}},
    {GgmlType::q5_k, {"Q5_K", 256, 176}}, {GgmlType::q6_k, {"Q6_K", 256, 210}},
};

}  // namespace

std::optional<GgmlBlock> ggml_block(std::uint32_t type) {
  for (const auto& [known, block] : kBlocks)
    if (static_cast<std::uint32_t>(known) == type) return block;
  return std::nullopt;
}

GgmlBlock ggml_block(GgmlType type) { return *ggml_block(static_cast<std::uint32_t>(type)); }

std::string supported_ggml_types() {
  std::string list;
  for (const auto& [type, block] : kBlocks) list += (list.empty() ? "" : ", ") + std::string(block.name);
  return list;
}

}  // namespace rlhf::models
