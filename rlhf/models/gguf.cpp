#include "rlhf/models/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::models {
namespace {

// No published model comes near these; a hostile file doesn't get to choose how much memory is reserved.
constexpr std::uint64_t kMaxTensors = 1 << 20, kMaxKeys = 1 << 16, kMaxValues = 1 << 24;
constexpr std::uint64_t kMaxNameBytes = 1 << 16, kMaxDims = 4, kMaxAlignment = 1 << 16;
constexpr int kMaxNesting = 4;

enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

std::uint64_t least_bytes(ValueType type) {
  switch (type) {
    case ValueType::u8:
    case ValueType::i8:
    case ValueType::boolean:
      return 1;
    case ValueType::u16:
    case ValueType::i16:
      return 2;
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32:
      return 4;
    case ValueType::text:
    case ValueType::u64:
    case ValueType::i64:
    case ValueType::f64:
      return 8;
    case ValueType::array:
      return 12;
  }
  return 0;  // an unknown type
}

std::string in_quotes(const std::string& name) {
  std::string text = "'";
  for (const char c : name.substr(0, 120)) text += (c >= 0x20 && c < 0x7f) ? c : '?';
  return text + (name.size() > 120 ? "...'" : "'");
}

class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  void run(std::map<std::string, GgufValue>& metadata, std::map<std::string, GgufTensor>& tensors) {
    check_version();
    const auto tensor_count = count("tensors", kMaxTensors), key_count = count("metadata keys", kMaxKeys);
    for (std::uint64_t i = 0; i < key_count; ++i) {
      auto key = text(kMaxNameBytes);
      auto value = this->value(static_cast<ValueType>(read<std::uint32_t>()), 0);
      if (!metadata.emplace(key, std::move(value)).second) bad("has the metadata key " + in_quotes(key) + " twice");
    }
    const auto step = alignment(metadata);
    std::vector<std::pair<std::string, Place>> places;
    for (std::uint64_t i = 0; i < tensor_count; ++i) places.push_back(tensor_entry(step));
    // Padding after the last entry, then the data. A file without tensors may end here.
    const auto data = std::min<std::uint64_t>((position_ + step - 1) / step * step, bytes_.size());
    for (auto& [name, place] : places) {
      const auto room = bytes_.size() - data;
      if (place.offset > room || place.size > room - place.offset)
        bad("the tensor " + in_quotes(name) + " needs " + std::to_string(place.size) + " bytes at " +
                std::to_string(place.offset) + " of the data, which has " + std::to_string(room),
            "The download may have stopped half-way: fetch the file again.");
      place.tensor.bytes = bytes_.subspan(data + place.offset, place.size);
      if (!tensors.emplace(name, place.tensor).second) bad("has the tensor " + in_quotes(name) + " twice");
    }
    check_overlap(tensors);
  }

 private:
  struct Place {
    GgufTensor tensor;
    std::uint64_t offset, size;
  };

  [[noreturn]] void bad(std::string what,
                        std::string fix = "The file is damaged or not a GGUF file; fetch it again.") const {
    throw Error({.category = Category::bad_data, .where = where_, .what = std::move(what), .fix = std::move(fix)});
  }

  template <class T>
  T read() {
    if (bytes_.size() - position_ < sizeof(T))
      bad("ends in the middle of its header, after " + std::to_string(bytes_.size()) + " bytes");
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof value);
    position_ += sizeof value;
    return value;
  }

  std::string text(std::uint64_t limit) {
    const auto length = read<std::uint64_t>();
    if (length > limit || length > bytes_.size() - position_)
      bad("has a text of " + std::to_string(length) + " bytes at byte " + std::to_string(position_));
    std::string value(reinterpret_cast<const char*>(bytes_.data()) + position_, length);
    position_ += length;
    return value;
  }

  std::uint64_t count(const char* what, std::uint64_t limit) {
    const auto number = read<std::uint64_t>();
    if (number > limit)
      bad("says that it has " + std::to_string(number) + " " + what + "; the limit is " + std::to_string(limit));
    return number;
  }

  void check_version() {
    if (bytes_.size() < 4 || std::memcmp(bytes_.data(), "GGUF", 4) != 0) bad("does not start with 'GGUF'");
    position_ = 4;
    const auto version = read<std::uint32_t>();
    if ((version & 0xffff) == 0)
      bad("is a big-endian GGUF file", "Convert it to little-endian; nearly every published file is.");
    if (version != 2 && version != 3)
      bad("is GGUF version " + std::to_string(version) + "; versions 2 and 3 are supported",
          "Convert it with a current tool.");
  }

  GgufValue value(ValueType type, int depth) {
    switch (type) {
      case ValueType::u8:
        return {std::uint64_t{read<std::uint8_t>()}};
      case ValueType::u16:
        return {std::uint64_t{read<std::uint16_t>()}};
      case ValueType::u32:
        return {std::uint64_t{read<std::uint32_t>()}};
      case ValueType::u64:
        return {read<std::uint64_t>()};
      case ValueType::i8:
        return {std::int64_t{read<std::int8_t>()}};
      case ValueType::i16:
        return {std::int64_t{read<std::int16_t>()}};
      case ValueType::i32:
        return {std::int64_t{read<std::int32_t>()}};
      case ValueType::i64:
        return {read<std::int64_t>()};
      case ValueType::f32:
        return {double{read<float>()}};
      case ValueType::f64:
        return {read<double>()};
      case ValueType::boolean:
        return {read<std::uint8_t>() != 0};
      case ValueType::text:
        return {text(bytes_.size())};
      case ValueType::array:
        return array(depth);
    }
    bad("has a metadata value of the unknown type " + std::to_string(static_cast<std::uint32_t>(type)));
  }

  GgufValue array(int depth) {
    if (depth == kMaxNesting) bad("has arrays nested more than " + std::to_string(kMaxNesting) + " deep");
    const auto element = static_cast<ValueType>(read<std::uint32_t>());
    const auto length = read<std::uint64_t>();
    const auto least = least_bytes(element);
    if (least == 0) bad("has an array of the unknown type " + std::to_string(static_cast<std::uint32_t>(element)));
    if (length > (bytes_.size() - position_) / least || length > kMaxValues - values_)
      bad("has an array of " + std::to_string(length) + " values at byte " + std::to_string(position_));
    values_ += length;
    GgufValue::Array items;
    items.reserve(length);
    for (std::uint64_t i = 0; i < length; ++i) items.push_back(value(element, depth + 1));
    return {std::move(items)};
  }

  std::uint64_t alignment(const std::map<std::string, GgufValue>& metadata) const {
    const auto found = metadata.find("general.alignment");
    if (found == metadata.end()) return 32;
    const auto* step = std::get_if<std::uint64_t>(&found->second.value);
    if (step == nullptr || !std::has_single_bit(*step) || *step > kMaxAlignment)
      bad("its general.alignment is not a power of two up to " + std::to_string(kMaxAlignment));
    return *step;
  }

  std::pair<std::string, Place> tensor_entry(std::uint64_t step) {
    auto name = text(kMaxNameBytes);
    const auto dims = read<std::uint32_t>();
    if (dims > kMaxDims)
      bad("the tensor " + in_quotes(name) + " has " + std::to_string(dims) + " dimensions; at most 4 are allowed");
    Place place{};
    std::uint64_t elements = 1;
    for (std::uint32_t i = 0; i < dims; ++i) {
      const auto size = read<std::uint64_t>();
      if (size == 0 || size > (std::uint64_t{1} << 48) || __builtin_mul_overflow(elements, size, &elements))
        bad("the tensor " + in_quotes(name) + " has an impossible size");
      place.tensor.shape.insert(place.tensor.shape.begin(), static_cast<std::int64_t>(size));
    }
    const auto type = read<std::uint32_t>();
    const auto block = ggml_block(type);
    if (!block)
      bad("the tensor " + in_quotes(name) + " is stored as type " + std::to_string(type) + ", which is not supported",
          "Use a file with " + supported_ggml_types() + ".");
    place.tensor.type = static_cast<GgmlType>(type);
    place.offset = read<std::uint64_t>();
    const auto row = dims == 0 ? 1 : place.tensor.shape.back();
    if (row % block->elements != 0)
      bad("the tensor " + in_quotes(name) + " has rows of " + std::to_string(row) + " numbers, no multiple of " +
          std::string(block->name) + "'s blocks of " + std::to_string(block->elements));
    if (__builtin_mul_overflow(elements / static_cast<std::uint64_t>(block->elements),
                               static_cast<std::uint64_t>(block->bytes), &place.size))
      bad("the tensor " + in_quotes(name) + " has an impossible size");
    if (place.offset % step != 0)
      bad("the tensor " + in_quotes(name) + " does not start at a multiple of " + std::to_string(step));
    return {std::move(name), std::move(place)};
  }

  void check_overlap(const std::map<std::string, GgufTensor>& tensors) const {
    std::vector<const std::pair<const std::string, GgufTensor>*> order;
    for (const auto& item : tensors) order.push_back(&item);
    std::ranges::sort(order, {}, [](auto* item) { return item->second.bytes.data(); });
    for (std::size_t i = 1; i < order.size(); ++i) {
      const auto before = order[i - 1]->second.bytes;
      if (before.data() + before.size() > order[i]->second.bytes.data())
        bad("the tensors " + in_quotes(order[i - 1]->first) + " and " + in_quotes(order[i]->first) + " overlap");
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
  std::uint64_t position_ = 0, values_ = 0;
};

std::optional<double> as_number(const GgufValue& value) {
  if (const auto* u = std::get_if<std::uint64_t>(&value.value)) return static_cast<double>(*u);
  if (const auto* i = std::get_if<std::int64_t>(&value.value)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&value.value)) return *d;
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const GgufValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value.value)) return *i;
  const auto* u = std::get_if<std::uint64_t>(&value.value);
  if (u == nullptr || *u > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(*u);
}

template <class T>
std::optional<T> as(const GgufValue& value) {
  const auto* found = std::get_if<T>(&value.value);
  return found == nullptr ? std::nullopt : std::optional<T>(*found);
}

template <class Read>
auto look_up(const GgufFile& file, const std::string& key, const char* expected, Read read)
    -> decltype(read(std::declval<GgufValue>())) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) return std::nullopt;
  auto value = read(found->second);
  if (value) return value;
  throw Error({.category = Category::bad_data,
               .where = file.name(),
               .what = "its metadata key '" + key + "' is not " + expected,
               .fix = "The file is damaged or was written by an unusual tool; fetch another."});
}

template <class T, class Read>
std::optional<std::vector<T>> each(const GgufValue& value, Read read) {
  const auto* items = std::get_if<GgufValue::Array>(&value.value);
  if (items == nullptr) return std::nullopt;
  std::vector<T> all;
  all.reserve(items->size());
  for (const auto& item : *items) {
    auto one = read(item);
    if (!one) return std::nullopt;
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace

std::int64_t GgufTensor::elements() const {
  std::int64_t product = 1;
  for (const auto size : shape) product *= size;
  return product;
}

GgufFile::GgufFile(MappedFile file) : file_(std::move(file)) {
  Parser(file_.bytes(), file_.name()).run(metadata_, tensors_);
}

GgufFile GgufFile::open(const std::filesystem::path& path) { return GgufFile(MappedFile::open(path)); }

GgufFile GgufFile::from_bytes(std::string bytes, std::string name) {
  return GgufFile(MappedFile::from_bytes(std::move(bytes), std::move(name)));
}

std::optional<std::int64_t> GgufFile::integer(const std::string& key) const {
  return look_up(*this, key, "a whole number", as_integer);
}
std::optional<double> GgufFile::number(const std::string& key) const {
  return look_up(*this, key, "a number", as_number);
}
std::optional<bool> GgufFile::flag(const std::string& key) const {
  return look_up(*this, key, "true or false", as<bool>);
}
std::optional<std::string> GgufFile::text(const std::string& key) const {
  return look_up(*this, key, "a text", as<std::string>);
}

std::optional<std::vector<std::string>> GgufFile::texts(const std::string& key) const {
  return look_up(*this, key, "a list of texts",
                 [](const GgufValue& value) { return each<std::string>(value, as<std::string>); });
}

std::optional<std::vector<double>> GgufFile::numbers(const std::string& key) const {
  return look_up(*this, key, "a list of numbers",
                 [](const GgufValue& value) { return each<double>(value, as_number); });
}

}  // namespace rlhf::models
