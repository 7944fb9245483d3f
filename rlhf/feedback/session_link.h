#pragma once
#include <chrono>
#include <filesystem>
#include <optional>

#include "rlhf/feedback/session_wire.h"

namespace rlhf::feedback {

/// The server's end of the socket of a running agent. Sending and receiving may be done by two threads.
///
/// Errors are rlhf::Error: resource where nobody listens or the session has gone, bad_data for bytes that are no
/// message.
class SessionLink {
 public:
  /// Waits up to `patience` for a session to listen at `socket`. Its first message is "hello".
  static SessionLink connect(const std::filesystem::path& socket, std::chrono::duration<double> patience);
  SessionLink(SessionLink&& other) noexcept;
  SessionLink& operator=(SessionLink&&) = delete;
  ~SessionLink();

  /// The next message; nothing when the time is over.
  std::optional<WireMessage> receive(std::chrono::duration<double> timeout);

  void send(const Signal& signal) { send(to_json(signal)); }
  /// {"type": "undo", "id": 7}, {"type": "pause"}, {"type": "speed", "value": 0.5}, ...
  void send(const nlohmann::json& message);

  /// To wait for messages in an event loop. Readable means: receive(0 s) may have one.
  int descriptor() const { return descriptor_; }

 private:
  explicit SessionLink(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  WireReader reader_;
};

}  // namespace rlhf::feedback
