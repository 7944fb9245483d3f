#pragma once
#include "rlhf/serving/detail/connection_impl.h"

namespace rlhf::serving::detail {

template <class Transport>
asio::awaitable<void> Connection<Transport>::serve_socket(Request request, const Route& route,
                                                          const http::request<http::string_body>& message) {
  const auto& limits = service_.options.limits;
  auto channel = std::make_shared<SocketChannel>(limits.stream_bytes, waker());
  SocketEvents events;
  auto open = [&] { return service_.open(request, route, channel, events); };
  auto refusal = co_await on_worker<std::optional<Response>>(service_.workers, open);
  if (!refusal) refusal.emplace(Response::error(503, "the server has more work than it can take"));
  if (*refusal) {
    co_await refuse(std::move(**refusal), request, message.version());
    co_return;
  }

  namespace websocket = beast::websocket;
  error_code error;
  lowest().expires_never();  // the WebSocket has time-outs of its own, with pings
  socket_.emplace(std::move(transport_));
  socket_->set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  socket_->read_message_max(limits.message_bytes);
  co_await socket_->async_accept(message, or_error(error));
  if (!error) {
    channel_ = channel;
    if (service_.stopping) channel->close(1001, "the server stops");
    asio::co_spawn(
        wake_.get_executor(), [self = this->shared_from_this(), channel] { return self->write_messages(channel); },
        asio::detached);
    co_await read_messages(events, *channel);
  }
  channel->hang_up();
  if (!events.closed) co_return;
  auto closed = [&] { return events.closed(), true; };
  for (std::optional<bool> done; !done;) {
    done = co_await on_worker<bool>(service_.workers, closed);
    if (!done) co_await sleep(0.1);  // busy workers: later, but once
  }
}

template <class Transport>
asio::awaitable<void> Connection<Transport>::read_messages(SocketEvents& events, SocketChannel& channel) {
  for (;;) {
    error_code error;
    beast::flat_buffer message;
    co_await socket_->async_read(message, or_error(error));
    if (error) co_return;
    if (!events.message) continue;
    const std::string_view bytes(static_cast<const char*>(message.data().data()), message.size());
    auto handle = [&, binary = socket_->got_binary()] { return service_.receive(events, bytes, binary); };
    const auto handled = co_await on_worker<bool>(service_.workers, handle);
    if (handled.value_or(false)) continue;
    channel.close(handled ? 1011 : 1013, handled ? "the server failed" : "the server is busy");
  }
}

template <class Transport>
asio::awaitable<void> Connection<Transport>::write_messages(std::shared_ptr<SocketChannel> channel) {
  error_code error;
  SocketChannel::Message message;
  while (!error) {
    if (!channel->take(message)) {
      if (!channel->connected()) co_return;
      co_await sleep(60);
    } else if (message.close_code != 0) {
      beast::websocket::close_reason reason(static_cast<beast::websocket::close_code>(message.close_code),
                                            message.bytes);
      co_await socket_->async_close(reason, or_error(error));
      co_return;
    } else {
      socket_->binary(message.binary);
      co_await socket_->async_write(asio::buffer(message.bytes), or_error(error));
      channel->sent(message.bytes.size());
    }
  }
}

}  // namespace rlhf::serving::detail
