#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rlhf::serving {

/// A response that is written piece by piece. The server makes it; it may be used from any thread of the program, but
/// never from a callback that the server calls on its own I/O thread. It ends with `close`, or with its last owner.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Queues bytes. Waits while the client is behind by more than the server's limit. False: the client has gone, and
  /// whoever computes for it should stop.
  virtual bool write(std::string_view bytes) = 0;
  /// The same without waiting: false also when the client is behind, and then nothing was queued.
  virtual bool try_write(std::string_view bytes) = 0;

  /// Waits until all that was queued has been handed over. False: the client has gone without it.
  virtual bool flush() = 0;

  /// False once the client has hung up (noticed within a quarter of a second, writing or not) or the server stops.
  virtual bool connected() const = 0;
  /// Called once when that happens, at once if it already has. It runs on an I/O thread: set a flag and return.
  virtual void on_disconnect(std::function<void()> callback) = 0;

  virtual void close() = 0;

  /// One server-sent event; `data` may have several lines. An empty `name` is the event "message".
  bool event(std::string_view data, std::string_view name = {}, std::string_view id = {});
  bool try_event(std::string_view data, std::string_view name = {}, std::string_view id = {});
};

/// The text of a server-sent event. Line breaks in `name` and `id` are left out.
std::string event_text(std::string_view data, std::string_view name = {}, std::string_view id = {});

/// One side of a WebSocket. Usable from any thread.
class Socket {
 public:
  virtual ~Socket() = default;

  /// Queue a message. False: the other side has gone, or is behind by more than the server's limit; nothing was queued.
  virtual bool send(std::string_view text) = 0;
  virtual bool send_binary(std::string_view bytes) = 0;
  /// Bytes that still wait to be sent: a sender of frames drops some while this grows.
  virtual std::size_t queued() const = 0;

  virtual bool connected() const = 0;
  /// RFC 6455 §7.4: 1000 = done, 1008 = against the rules, 1011 = our failure.
  virtual void close(int code = 1000, std::string_view reason = {}) = 0;
};

/// What a WebSocket route does with one connection. Calls come from the workers, one at a time, in order.
struct SocketEvents {
  std::function<void(std::string_view message, bool binary)> message;
  std::function<void()> closed;  // always called once, last
};

}  // namespace rlhf::serving
