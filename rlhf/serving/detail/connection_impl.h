#pragma once
#include <poll.h>

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "rlhf/serving/detail/connection.h"
#include "rlhf/serving/detail/on_worker.h"

namespace rlhf::serving::detail {

/// co_await something(..., or_error(error)): failures are values here, since most of them are a client that left.
inline auto or_error(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

template <class Transport>
inline constexpr bool is_tls = false;
template <class Inner>
inline constexpr bool is_tls<beast::ssl_stream<Inner>> = true;

template <class Transport>
Connection<Transport>::Connection(Transport transport, Service& service, std::string address)
    : transport_(std::move(transport)),
      service_(service),
      address_(std::move(address)),
      buffer_(service.options.limits.header_bytes + (64 << 10)),
      wake_(transport_.get_executor()) {
  service_.peers.add(this, address_);
}

template <class Transport>
Connection<Transport>::~Connection() {
  service_.peers.remove(this);
}

template <class Transport>
void Connection<Transport>::start() {
  asio::co_spawn(transport_.get_executor(), [self = this->shared_from_this()] { return self->run(); }, asio::detached);
}

template <class Transport>
void Connection<Transport>::wind_down() {
  asio::post(wake_.get_executor(), [weak = this->weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    if (self->idle_) self->lowest().close();
    if (const auto channel = self->channel_.lock()) channel->close(1001, "the server stops");
    self->wake_.cancel();
  });
}

template <class Transport>
void Connection<Transport>::cut() {
  asio::post(wake_.get_executor(), [weak = this->weak_from_this()] {
    if (const auto self = weak.lock()) self->lowest().close();
  });
}

template <class Transport>
std::function<void()> Connection<Transport>::waker() {
  return [weak = this->weak_from_this(), executor = wake_.get_executor()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->wake_.cancel();
    });
  };
}

template <class Transport>
asio::awaitable<void> Connection<Transport>::sleep(double most) {
  error_code ignored;
  wake_.expires_after(seconds(most));
  co_await wake_.async_wait(or_error(ignored));
}

/// Has the client closed its side? Asking the system tells it also when unread bytes wait before the end.
template <class Transport>
bool Connection<Transport>::hung_up() {
  auto& socket = lowest().socket();
  if (!socket.is_open()) return true;
  pollfd asked{.fd = socket.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

template <class Transport>
asio::awaitable<void> Connection<Transport>::run() {
  bool more = co_await handshake();
  while (more) more = co_await serve_one();
  if (!socket_) co_await finish();
}

template <class Transport>
asio::awaitable<bool> Connection<Transport>::handshake() {
  error_code error;
  if constexpr (is_tls<Transport>) {
    deadline(service_.options.limits.header_seconds);
    co_await transport_.async_handshake(asio::ssl::stream_base::server, or_error(error));
  }
  co_return !error;
}

template <class Transport>
asio::awaitable<void> Connection<Transport>::finish() {
  if (!lowest().socket().is_open()) co_return;
  error_code ignored;
  if constexpr (is_tls<Transport>) {
    deadline(2);
    co_await transport_.async_shutdown(or_error(ignored));
  }
  lowest().close();
}

/// Closes in a way that lets the client read our last answer: with unread bytes around, a plain close would reset the
/// connection and the answer could be lost (RFC 9112 §9.6).
template <class Transport>
asio::awaitable<void> Connection<Transport>::linger() {
  error_code error;
  auto& socket = lowest().socket();
  deadline(2);
  socket.shutdown(asio::socket_base::shutdown_send, error);
  std::size_t most = 256 << 10;
  char scrap[4096];
  while (!error && most > 0) {
    const auto got = co_await lowest().async_read_some(asio::buffer(scrap), or_error(error));
    most -= std::min(most, got);
  }
  lowest().close();
}

}  // namespace rlhf::serving::detail
