#include "rlhf/core/safetensors_layout.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kPrefix = 8;                          // the header's length, little-endian
constexpr std::uint64_t kHeaderLimit = 100ull * 1000 * 1000;  // as the reference implementation
constexpr std::size_t kMaxDims = 64;                          // LibTorch's own limit on dimensions

struct Reader {
  const std::string& where;

  [[noreturn]] void bad(
      std::string what,
      std::string fix = "The file is damaged or not a safetensors file; fetch or write it again.") const {
    throw Error({.category = Category::bad_data, .where = where, .what = std::move(what), .fix = std::move(fix)});
  }

  // Names come from the file: printable ASCII only, and not a megabyte of it.
  static std::string quoted(const std::string& name) {
    std::string text = "'";
    for (const char c : name.substr(0, 120)) text += (c >= 0x20 && c < 0x7f) ? c : '?';
    return text + (name.size() > 120 ? "...'" : "'");
  }

  std::string_view header_text(std::span<const std::byte> bytes) const {
    if (bytes.size() < kPrefix)
      bad("is " + std::to_string(bytes.size()) + " bytes long; a safetensors file has at least 8");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    if (length > kHeaderLimit)
      bad("says that its header is " + std::to_string(length) + " bytes long; the limit is 100 MB");
    if (length > bytes.size() - kPrefix)
      bad("says that its header is " + std::to_string(length) + " bytes long, but the file ends after " +
          std::to_string(bytes.size() - kPrefix));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kPrefix, length);
    if (text.empty() || text.front() != '{') bad("its header is not a JSON object");
    return text;
  }

  Json parse(std::string_view text) const {
    std::set<std::string> seen;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      if (depth > 3) bad("its header is nested too deeply");
      if (event == Json::parse_event_t::key && depth == 1 && !seen.insert(value.get_ref<const std::string&>()).second)
        bad("names the tensor " + quoted(value.get_ref<const std::string&>()) + " twice");
      return true;
    };
    try {
      return Json::parse(text.begin(), text.end(), watch);
    } catch (const Json::exception&) {
      bad("its header is not valid JSON");
    }
  }

  SafetensorsEntry entry(const std::string& name, const Json& json, std::uint64_t data_begin,
                         std::uint64_t data_size) const {
    const auto whole = [](const Json& value) { return value.is_number_unsigned(); };
    const bool complete = json.is_object() && json.contains("dtype") && json["dtype"].is_string() &&
                          json.contains("shape") && json["shape"].is_array() && json.contains("data_offsets") &&
                          json["data_offsets"].is_array() && json["data_offsets"].size() == 2 &&
                          std::ranges::all_of(json["shape"], whole) && std::ranges::all_of(json["data_offsets"], whole);
    if (!complete) bad("the entry of " + quoted(name) + " lacks a valid dtype, shape or data_offsets");

    SafetensorsEntry found{.dtype = json["dtype"].get<std::string>(), .shape = {}};
    std::uint64_t expected = safetensors_element_size(found.dtype);
    if (expected == 0) bad(quoted(name) + " has the unknown dtype " + quoted(found.dtype));
    if (json["shape"].size() > kMaxDims)
      bad(quoted(name) + " has " + std::to_string(json["shape"].size()) + " dimensions");
    // A size beyond the file is wrong whatever the other sizes are, unless one of them is 0: then no byte is stored.
    bool overflow = false;
    for (const auto& dim : json["shape"]) {
      const auto size = dim.get<std::uint64_t>();
      if (size > static_cast<std::uint64_t>(INT64_MAX))
        bad(quoted(name) + " has a dimension that doesn't fit in 63 bits");
      overflow |= __builtin_mul_overflow(expected, size, &expected);
      found.shape.push_back(static_cast<std::int64_t>(size));
    }
    const auto begin = json["data_offsets"][0].get<std::uint64_t>(), end = json["data_offsets"][1].get<std::uint64_t>();
    if (begin > end || end > data_size)
      bad(quoted(name) + " lies at bytes " + std::to_string(begin) + " to " + std::to_string(end) +
          " of the data, which has " + std::to_string(data_size));
    if (overflow || expected != end - begin)
      bad(quoted(name) + " has a shape and dtype that need " + (overflow ? "far more" : std::to_string(expected)) +
          " bytes; its data_offsets give it " + std::to_string(end - begin));
    found.begin = data_begin + begin;
    found.end = data_begin + end;
    return found;
  }

  void check_tiling(const SafetensorsLayout& layout, std::uint64_t begin, std::uint64_t end) const {
    std::vector<const std::pair<const std::string, SafetensorsEntry>*> order;
    for (const auto& item : layout.tensors) order.push_back(&item);
    std::ranges::sort(order, [](auto* a, auto* b) {
      return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
    });
    auto position = begin;
    for (const auto* item : order) {
      if (item->second.begin < position) bad(quoted(item->first) + " overlaps the tensor before it");
      if (item->second.begin > position) bad("there is a hole of unused bytes before " + quoted(item->first));
      position = item->second.end;
    }
    if (position != end)
      bad("has " + std::to_string(end - position) +
          " bytes after its last tensor; the header and the data don't belong together");
  }
};

}  // namespace

std::size_t safetensors_element_size(std::string_view dtype) {
  static const std::map<std::string_view, std::size_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
      {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"I64", 8},     {"U64", 8}, {"F64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

SafetensorsLayout read_safetensors_layout(std::span<const std::byte> bytes, const std::string& where) {
  const Reader reader{where};
  const auto text = reader.header_text(bytes);
  const auto json = reader.parse(text);
  const auto data_begin = kPrefix + text.size();
  SafetensorsLayout layout;
  for (const auto& [name, value] : json.items()) {
    if (name != "__metadata__") {
      layout.tensors[name] = reader.entry(name, value, data_begin, bytes.size() - data_begin);
      continue;
    }
    if (!value.is_object()) reader.bad("its __metadata__ is not an object");
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string()) reader.bad("its __metadata__ holds something other than strings");
      layout.metadata[key] = text_value.get<std::string>();
    }
  }
  reader.check_tiling(layout, data_begin, bytes.size());
  return layout;
}

}  // namespace rlhf
