#include "rlhf/models/gguf_writer.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "rlhf/core/atomic_file.h"
#include "rlhf/core/error.h"
#include "rlhf/models/quantization.h"

namespace rlhf::models {
namespace {

constexpr std::uint64_t kAlignment = 32;
constexpr std::int64_t kChunk = 1 << 20;  // numbers converted at once: a multiple of every block

// The format's codes of value types.
enum Code : std::uint32_t { kU32 = 4, kI32 = 5, kF32 = 6, kBool = 7, kText = 8, kArray = 9, kU64 = 10, kI64 = 11 };

/// The header, built in memory: it is small beside the weights.
class Header {
 public:
  template <class T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void put_text(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }

  void put_pair(const std::string& key, const GgufValue& value) {
    put_text(key);
    put(static_cast<std::uint32_t>(code_of(value)));
    put_value(value, code_of(value));
  }

  void pad() { bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment, '\0'); }
  const std::string& bytes() const { return bytes_; }

 private:
  static Code code_of(const GgufValue& value) {
    if (const auto* u = std::get_if<std::uint64_t>(&value.value))
      return *u <= std::numeric_limits<std::uint32_t>::max() ? kU32 : kU64;
    if (const auto* i = std::get_if<std::int64_t>(&value.value))
      return *i == static_cast<std::int32_t>(*i) ? kI32 : kI64;
    if (std::holds_alternative<double>(value.value)) return kF32;
    if (std::holds_alternative<bool>(value.value)) return kBool;
    return std::holds_alternative<std::string>(value.value) ? kText : kArray;
  }

  void put_value(const GgufValue& value, Code code) {
    switch (code) {
      case kU32:
        return put(static_cast<std::uint32_t>(std::get<std::uint64_t>(value.value)));
      case kU64:
        return put(std::get<std::uint64_t>(value.value));
      case kI32:
        return put(static_cast<std::int32_t>(std::get<std::int64_t>(value.value)));
      case kI64:
        return put(std::get<std::int64_t>(value.value));
      case kF32:
        return put(static_cast<float>(std::get<double>(value.value)));
      case kBool:
        return put(static_cast<std::uint8_t>(std::get<bool>(value.value)));
      case kText:
        return put_text(std::get<std::string>(value.value));
      case kArray:
        break;
    }
    const auto& items = std::get<GgufValue::Array>(value.value);
    const auto element = items.empty() ? kU32 : code_of(items.front());
    put(static_cast<std::uint32_t>(element));
    put(static_cast<std::uint64_t>(items.size()));
    for (const auto& item : items) put_value(item, element);
  }

  std::string bytes_;
};

std::uint64_t stored_bytes(const GgufContents::Entry& entry) {
  const auto block = ggml_block(entry.type);
  return static_cast<std::uint64_t>(entry.weight.numel() / block.elements * block.bytes);
}

void encode(GgmlType type, const float* values, std::int64_t count, std::byte* out, const std::string& name) {
  switch (type) {
    case GgmlType::f32:
      std::memcpy(out, values, static_cast<std::size_t>(count) * 4);
      return;
    case GgmlType::q8_0:
      quantize_q8_0(values, count, out);
      return;
    case GgmlType::bf16:
      for (std::int64_t i = 0; i < count; ++i) {
        const c10::BFloat16 rounded(values[i]);
        std::memcpy(out + 2 * i, &rounded.x, 2);
      }
      return;
    case GgmlType::f16:
      for (std::int64_t i = 0; i < count; ++i) {
        const auto half = float_to_half(values[i]);
        if ((half & 0x7fff) == 0x7c00 && std::isfinite(values[i]))
          throw Error({.category = Category::check,
                       .where = name,
                       .what = "the weight " + std::to_string(values[i]) + " is too large for float16",
                       .fix = "Export with --dtype bf16 or f32."});
        std::memcpy(out + 2 * i, &half, 2);
      }
      return;
    default:
      throw Error({.category = Category::usage,
                   .where = name,
                   .what = "GGUF type " + std::string(ggml_block(type).name) + " cannot be written",
                   .fix = "Use f32, f16, bf16 or q8_0."});
  }
}

void write_tensor(AtomicFile& file, const GgufContents::Entry& entry) {
  const auto plain = entry.weight.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto* values = plain.const_data_ptr<float>();
  const auto block = ggml_block(entry.type);
  std::vector<std::byte> bytes;
  for (std::int64_t start = 0; start < plain.numel(); start += kChunk) {
    const auto count = std::min(kChunk, plain.numel() - start);
    bytes.resize(static_cast<std::size_t>(count / block.elements * block.bytes));
    at::parallel_for(0, count / block.elements, std::max<std::int64_t>(1, 16384 / block.elements),
                     [&](std::int64_t begin, std::int64_t end) {
                       encode(entry.type, values + start + begin * block.elements, (end - begin) * block.elements,
                              bytes.data() + begin * block.bytes, entry.name);
                     });
    file.write(bytes.data(), bytes.size());
  }
}

std::uint64_t padding(std::uint64_t position) { return (kAlignment - position % kAlignment) % kAlignment; }

}  // namespace

GgmlType stored_type(const Tensor& weight, GgmlType wanted) {
  if (weight.dim() < 2) return GgmlType::f32;
  return wanted == GgmlType::q8_0 && weight.size(-1) % 32 != 0 ? GgmlType::f16 : wanted;
}

void write_gguf(const std::filesystem::path& path, const GgufContents& contents) {
  Header header;
  header.put(std::uint32_t{0x46554747});  // "GGUF"
  header.put(std::uint32_t{3});
  header.put(static_cast<std::uint64_t>(contents.tensors.size()));
  header.put(static_cast<std::uint64_t>(contents.metadata.size()));
  for (const auto& [key, value] : contents.metadata) header.put_pair(key, value);
  std::uint64_t offset = 0;
  for (const auto& entry : contents.tensors) {
    header.put_text(entry.name);
    header.put(static_cast<std::uint32_t>(entry.weight.dim()));
    for (auto dim = entry.weight.dim(); dim-- > 0;) header.put(static_cast<std::uint64_t>(entry.weight.size(dim)));
    header.put(static_cast<std::uint32_t>(entry.type));
    header.put(offset);
    offset += stored_bytes(entry);
    offset += padding(offset);
  }
  header.pad();

  AtomicFile file(path);
  file.write(header.bytes());
  for (const auto& entry : contents.tensors) {
    write_tensor(file, entry);
    file.write_zeros(padding(file.position()));
  }
  file.commit();
}

}  // namespace rlhf::models
