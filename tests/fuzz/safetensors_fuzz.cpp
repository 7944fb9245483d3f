// Any bytes as a safetensors file: an Error, or a layout whose every range lies inside the file.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/core/safetensors_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const auto layout = rlhf::read_safetensors_layout(bytes, "input");
    unsigned sum = 0;
    for (const auto& [name, entry] : layout.tensors) {
      if (entry.end > size || entry.begin > entry.end) std::abort();
      for (auto i = entry.begin; i < entry.end; ++i) sum += data[i];
    }
    volatile unsigned keep = sum;
    (void)keep;
  } catch (const rlhf::Error&) {
  }
  return 0;
}
