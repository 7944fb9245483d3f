#include "rlhf/feedback/session_wire.h"

#include <fmt/format.h>

#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

constexpr std::size_t header = 8, largest_json = 1 << 16, largest_binary = 1 << 24;

[[noreturn]] void throw_bad(std::string what) {
  throw Error({.category = Category::bad_data,
               .where = "session socket",
               .what = std::move(what),
               .fix = "Both ends have to be of the same release."});
}

void put(std::string& bytes, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 255);
}

std::size_t size_at(std::string_view bytes, std::size_t place) {
  std::size_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[place + i]);
  return value;
}

}  // namespace

nlohmann::json to_json(const Signal& signal) {
  return {{"type", "signal"},      {"id", signal.id},           {"annotator", signal.annotator},
          {"value", signal.value}, {"pressed", signal.pressed}, {"delay", signal.delay}};
}

Signal signal_from_json(const nlohmann::json& message) {
  try {
    Signal signal{.id = message.at("id"),
                  .annotator = message.at("annotator"),
                  .value = message.at("value"),
                  .pressed = message.at("pressed"),
                  .delay = message.at("delay")};
    if (!std::isfinite(signal.value) || !std::isfinite(signal.pressed) || !(signal.delay >= 0) || signal.delay > 60) {
      throw_bad(fmt::format("signal {} has the value {}, the time {} and the delay {}", signal.id, signal.value,
                            signal.pressed, signal.delay));
    }
    return signal;
  } catch (const nlohmann::json::exception& error) {
    throw_bad(std::string("a signal cannot be read: ") + error.what());
  }
}

std::string encode(const WireMessage& message) {
  const auto text = message.json.dump();
  std::string bytes;
  bytes.reserve(header + text.size() + message.binary.size());
  put(bytes, text.size());
  put(bytes, message.binary.size());
  return bytes + text + message.binary;
}

std::optional<WireMessage> WireReader::next() {
  if (pending_.size() < header) return std::nullopt;
  const auto json_size = size_at(pending_, 0), binary_size = size_at(pending_, 4);
  if (json_size > largest_json || binary_size > largest_binary) {
    throw_bad(fmt::format("a message of {} + {} bytes was announced", json_size, binary_size));
  }
  if (pending_.size() < header + json_size + binary_size) return std::nullopt;
  WireMessage message{.json = nlohmann::json::parse(pending_.begin() + header, pending_.begin() + header + json_size,
                                                    nullptr, /*allow_exceptions=*/false),
                      .binary = pending_.substr(header + json_size, binary_size)};
  pending_.erase(0, header + json_size + binary_size);
  if (!message.json.is_object() || !message.json.contains("type") || !message.json["type"].is_string()) {
    throw_bad("a message has no \"type\"");
  }
  return message;
}

}  // namespace rlhf::feedback
