#include "rlhf/models/gpt2.h"
#include "rlhf/models/language_model.h"
#include "rlhf/models/llama.h"

namespace rlhf::models {

ModelTable builtin_models() {
  return {{"llama", make_llama}, {"mistral", make_llama}, {"qwen2", make_llama}, {"qwen3", make_llama}, {"gpt2", make_gpt2}};
}

}  // namespace rlhf::models
