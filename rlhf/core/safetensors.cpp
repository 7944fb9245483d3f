#include "rlhf/core/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "rlhf/core/atomic_file.h"
#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"

namespace rlhf {
namespace {

struct NamedType {
  const char* name;
  at::ScalarType type;
};

constexpr NamedType kTypes[] = {{"BOOL", at::kBool},
                                {"U8", at::kByte},
                                {"I8", at::kChar},
                                {"F8_E5M2", at::kFloat8_e5m2},
                                {"F8_E4M3", at::kFloat8_e4m3fn},
                                {"I16", at::kShort},
                                {"U16", at::kUInt16},
                                {"F16", at::kHalf},
                                {"BF16", at::kBFloat16},
                                {"I32", at::kInt},
                                {"U32", at::kUInt32},
                                {"F32", at::kFloat},
                                {"I64", at::kLong},
                                {"U64", at::kUInt64},
                                {"F64", at::kDouble}};

at::ScalarType type_of(const std::string& name) {
  for (const auto& known : kTypes)
    if (name == known.name) return known.type;
  return at::ScalarType::Undefined;  // the layout lets known names through only
}

std::optional<std::string> name_of(at::ScalarType type) {
  for (const auto& known : kTypes)
    if (type == known.type) return known.name;
  return std::nullopt;
}

}  // namespace

SafetensorsFile::SafetensorsFile(MappedFile file)
    : file_(std::move(file)), layout_(read_safetensors_layout(file_.bytes(), file_.name())) {}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  return SafetensorsFile(MappedFile::open(path));
}

SafetensorsFile SafetensorsFile::from_bytes(std::string bytes, std::string name) {
  return SafetensorsFile(MappedFile::from_bytes(std::move(bytes), std::move(name)));
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> all;
  for (const auto& [name, entry] : layout_.tensors) all.push_back(name);
  return all;
}

const SafetensorsEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = layout_.tensors.find(name);
  if (found != layout_.tensors.end()) return found->second;
  const auto similar = nearest(name, names());
  throw Error({.category = Category::bad_data,
               .where = file_.name(),
               .what = "has no tensor '" + name + "'",
               .fix = similar ? "The name most like it there is '" + *similar + "'." : ""});
}

Tensor SafetensorsFile::tensor(const std::string& name) const {
  const auto& place = entry(name);
  const auto options = at::TensorOptions().dtype(type_of(place.dtype));
  if (place.begin == place.end) return at::empty(place.shape, options);
  const auto* start = file_.bytes().data() + place.begin;
  // Other writers pad the header only to the byte: what isn't aligned for its type is copied.
  if (reinterpret_cast<std::uintptr_t>(start) % safetensors_element_size(place.dtype) != 0) {
    auto copy = at::empty(place.shape, options);
    std::memcpy(copy.data_ptr(), start, place.end - place.begin);
    return copy;
  }
  auto keep_alive = [owner = file_.owner()](void*) {};
  return at::from_blob(const_cast<std::byte*>(start), place.shape, std::move(keep_alive), options);
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Widest elements first: with the data starting at a multiple of 8 bytes every tensor is aligned for its type.
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& item : tensors) order.push_back(&item);
  std::ranges::stable_sort(order, std::ranges::greater{}, [](auto* item) { return item->second.element_size(); });

  nlohmann::json header = {{"__metadata__", metadata}};
  header["__metadata__"]["format"] = "pt";
  std::uint64_t offset = 0;
  for (const auto* item : order) {
    const auto& [name, tensor] = *item;
    const auto type = name_of(tensor.scalar_type());
    if (!type)
      throw Error(
          {.category = Category::usage,
           .where = path.string(),
           .what = "'" + name + "' has a type that safetensors cannot hold: " + c10::toString(tensor.scalar_type()),
           .fix = "Convert it first."});
    const auto end = offset + tensor.nbytes();
    header[name] = {{"dtype", *type}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  auto text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  for (const auto* item : order) {
    const auto plain = item->second.detach().to(at::kCPU).contiguous();
    file.write(plain.data_ptr(), plain.nbytes());
  }
  file.commit();
}

}  // namespace rlhf
