#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace rlhf::feedback {

// What a running agent and the server that shows it to people say to each other, over a local (Unix-domain) socket.
//
// Every message is
//     u32 bytes of JSON | u32 bytes of binary | JSON text (an object with "type") | binary          (little-endian)
//
// Times are seconds of CLOCK_MONOTONIC (rlhf::steady_seconds), one clock for all processes of a machine.
//
// session -> server
//   hello   {version, environment, actions: [name...], rate, width, height}         first message after connecting
//   frame   {tick, time, episode, step, action, policy_version, paused, speed, signals} + PNG   the newest; others are
//   dropped ack     {id, status: "used" | "undone" | "duplicate" | "paused" | "unknown", tick}   one for each signal
//   and undo end     {reason}
// server -> session
//   signal  {id, annotator, value, pressed, delay}   id: the store's sequence number, so that a repeated one is used
//   once undo    {id}                                     takes back the signal with this id pause | resume | stop   {}
//   speed   {value}                                  0.25 .. 2

inline constexpr int session_wire_version = 1;

/// A person's "good" (+1), "bad" (-1) or "great" (+4) about what they just saw.
struct Signal {
  std::int64_t id = 0;
  std::string annotator;
  double value = 0.0;
  double pressed = 0.0;  // when the key went down, on this machine's clock (the browser's time mapped to it)
  double delay = 0.0;    // seconds a frame took to reach the screen: what they saw is that much older than the press
};

struct WireMessage {
  nlohmann::json json;  // with "type"
  std::string binary;
};

nlohmann::json to_json(const Signal& signal);
/// Throws rlhf::Error (bad_data) naming the key.
Signal signal_from_json(const nlohmann::json& message);

std::string encode(const WireMessage& message);

/// Cuts a stream into messages. Throws rlhf::Error (bad_data) for sizes beyond 64 KiB of JSON or 16 MiB of binary, and
/// for JSON without "type".
class WireReader {
 public:
  void add(std::string_view bytes) { pending_.append(bytes); }
  std::optional<WireMessage> next();  // nothing until a whole message is there

 private:
  std::string pending_;
};

}  // namespace rlhf::feedback
