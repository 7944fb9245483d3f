#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "rlhf/serving/stream.h"

namespace rlhf::serving::detail {

/// Bytes on their way from any thread to one connection.
class StreamChannel {
 public:
  /// `wake` tells the connection that there is something to do; it may be called from any thread.
  StreamChannel(std::size_t most_bytes, std::function<void()> wake) : most_bytes_(most_bytes), wake_(std::move(wake)) {}

  // The writer's side.
  bool write(std::string_view bytes, bool wait);
  bool flush();
  void close();
  void fail();  // the rest will never come: the client must not take what it has for all
  bool connected() const;
  void on_disconnect(std::function<void()> callback);

  // The connection's side.
  enum class State { open, closed, failed };
  std::pair<std::string, State> take();  // all that waits
  void hang_up();                        // the client has gone

 private:
  const std::size_t most_bytes_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable drained_;
  std::string waiting_;
  State state_ = State::open;
  bool sending_ = false;  // the connection has taken something and not come back for more
  bool gone_ = false;
  std::function<void()> disconnected_;
};

/// What the writer holds: its end closes the stream.
class StreamEnd final : public Stream {
 public:
  explicit StreamEnd(std::shared_ptr<StreamChannel> channel) : channel_(std::move(channel)) {}
  ~StreamEnd() override { channel_->close(); }
  bool write(std::string_view bytes) override { return channel_->write(bytes, true); }
  bool try_write(std::string_view bytes) override { return channel_->write(bytes, false); }
  bool flush() override { return channel_->flush(); }
  bool connected() const override { return channel_->connected(); }
  void on_disconnect(std::function<void()> callback) override { channel_->on_disconnect(std::move(callback)); }
  void close() override { channel_->close(); }

 private:
  std::shared_ptr<StreamChannel> channel_;
};

/// Messages on their way from any thread to one WebSocket.
class SocketChannel final : public Socket {
 public:
  SocketChannel(std::size_t most_bytes, std::function<void()> wake) : most_bytes_(most_bytes), wake_(std::move(wake)) {}

  bool send(std::string_view text) override { return queue(text, false); }
  bool send_binary(std::string_view bytes) override { return queue(bytes, true); }
  std::size_t queued() const override;
  bool connected() const override;
  void close(int code, std::string_view reason) override;

  // The connection's side.
  struct Message {
    std::string bytes;
    bool binary = false;
    int close_code = 0;  // not 0: close, for the reason in `bytes`
  };
  bool take(Message& message);  // false: nothing waits
  void sent(std::size_t bytes);
  void hang_up();

 private:
  bool queue(std::string_view bytes, bool binary);

  const std::size_t most_bytes_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::deque<Message> waiting_;
  std::size_t queued_ = 0;
  bool open_ = true;
};

}  // namespace rlhf::serving::detail
