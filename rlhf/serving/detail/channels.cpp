#include "rlhf/serving/detail/channels.h"

namespace rlhf::serving::detail {

bool StreamChannel::write(std::string_view bytes, bool wait) {
  std::unique_lock lock(mutex_);
  // One piece always fits into an empty queue, however long it is.
  const auto fits = [&] { return gone_ || waiting_.empty() || waiting_.size() + bytes.size() <= most_bytes_; };
  if (wait)
    drained_.wait(lock, fits);
  else if (!fits())
    return false;
  if (gone_ || state_ != State::open) return false;
  const bool first = waiting_.empty();
  waiting_.append(bytes);
  lock.unlock();
  if (first) wake_();
  return true;
}

bool StreamChannel::flush() {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [&] { return gone_ || (waiting_.empty() && !sending_); });
  return !gone_;
}

void StreamChannel::close() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::open) return;
    state_ = State::closed;
  }
  wake_();
}

void StreamChannel::fail() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::failed;
  }
  wake_();
}

bool StreamChannel::connected() const {
  const std::lock_guard lock(mutex_);
  return !gone_;
}

void StreamChannel::on_disconnect(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) {
      disconnected_ = std::move(callback);
      return;
    }
  }
  callback();
}

std::pair<std::string, StreamChannel::State> StreamChannel::take() {
  const std::lock_guard lock(mutex_);
  std::pair<std::string, State> taken{std::move(waiting_), state_};
  waiting_.clear();
  sending_ = !taken.first.empty();
  drained_.notify_all();
  return taken;
}

void StreamChannel::hang_up() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    callback = std::exchange(disconnected_, nullptr);
    drained_.notify_all();
  }
  if (callback) callback();
}

std::size_t SocketChannel::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

bool SocketChannel::connected() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

bool SocketChannel::queue(std::string_view bytes, bool binary) {
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || (queued_ > 0 && queued_ + bytes.size() > most_bytes_)) return false;
    waiting_.push_back({.bytes = std::string(bytes), .binary = binary});
    queued_ += bytes.size();
  }
  wake_();
  return true;
}

void SocketChannel::close(int code, std::string_view reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    open_ = false;
    waiting_.push_back({.bytes = std::string(reason.substr(0, 120)), .close_code = code});
  }
  wake_();
}

bool SocketChannel::take(Message& message) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return false;
  message = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void SocketChannel::sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  queued_ -= bytes;
}

void SocketChannel::hang_up() {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    waiting_.clear();
    queued_ = 0;
  }
  wake_();
}

}  // namespace rlhf::serving::detail
