#pragma once
#include "rlhf/serving/detail/connection_impl.h"

namespace rlhf::serving::detail {

template <class Transport>
asio::awaitable<bool> Connection<Transport>::write(Response response, const Request& request, unsigned version,
                                                   bool keep_alive) {
  error_code error;
  keep_alive = keep_alive && !service_.stopping;
  service_.finish(request, response);
  const auto message = message_of(response, version, keep_alive);
  http::response_serializer<Bytes> serializer(message);
  const auto& limits = service_.options.limits;
  deadline(limits.body_seconds + static_cast<double>(message.body().size()) / limits.slowest_rate);
  if (request.method == "HEAD")
    co_await http::async_write_header(transport_, serializer, or_error(error));
  else
    co_await http::async_write(transport_, serializer, or_error(error));
  co_return !error && keep_alive;
}

/// The same when more of the request is under way, which nobody will read.
template <class Transport>
asio::awaitable<bool> Connection<Transport>::refuse(Response response, const Request& request, unsigned version) {
  co_await write(std::move(response), request, version, false);
  co_await linger();
  co_return false;
}

template <class Transport>
asio::awaitable<bool> Connection<Transport>::write_stream(Response response, const Request& request, unsigned version,
                                                          bool keep_alive) {
  auto channel = std::make_shared<StreamChannel>(service_.options.limits.stream_bytes, waker());
  auto writer = [&service = service_, channel, write = std::move(response.stream)] {
    const auto end = std::make_shared<StreamEnd>(channel);  // outlives the writer's: its death says that all was written
    try {
      write(end);
    } catch (const std::exception& error) {
      service.log(std::string("a stream ended early: ") + error.what());
      channel->fail();
    }
  };
  if (!service_.streamers.run(std::move(writer)))
    co_return co_await write(Response::error(503, "too many streams are open", "Try again later."), request, version,
                             false);

  error_code error;
  service_.finish(request, response);
  const auto head = stream_head_of(response, version, keep_alive);
  http::response_serializer<http::empty_body> serializer(head);
  deadline(service_.options.limits.body_seconds);
  co_await http::async_write_header(transport_, serializer, or_error(error));
  const bool events = response.headers.get("Content-Type") == "text/event-stream";
  bool whole = false;
  if (!error) whole = co_await pump(*channel, version >= 11, response.endless, events);
  channel->hang_up();
  co_return whole&& keep_alive&& version >= 11 && !service_.stopping;
}

/// Carries pieces to the client until the writer is done. False: it was not all.
template <class Transport>
asio::awaitable<bool> Connection<Transport>::pump(StreamChannel& channel, bool chunked, bool endless, bool events) {
  constexpr double look_around = 0.25, keep_alive = 15;  // seconds
  double quiet = 0;
  for (;;) {
    auto [bytes, state] = channel.take();
    if (state == StreamChannel::State::failed) co_return false;
    if (bytes.empty() && events && quiet >= keep_alive) bytes = ": still here\n\n";  // proxies close quiet connections
    if (!bytes.empty()) {
      quiet = 0;
      if (hung_up()) co_return false;  // what is sent now would seem to arrive
      const bool sent = co_await send(asio::buffer(bytes), chunked);
      if (!sent) co_return false;
    } else if (state == StreamChannel::State::closed) {
      if (!chunked) co_return true;
      co_return co_await send({}, true);
    } else if (hung_up() || (endless && service_.stopping)) {
      co_return false;
    } else {
      co_await sleep(look_around);
      quiet += look_around;
    }
  }
}

/// One piece; an empty chunk is the last one.
template <class Transport>
asio::awaitable<bool> Connection<Transport>::send(asio::const_buffer bytes, bool chunk) {
  error_code error;
  const auto& limits = service_.options.limits;
  deadline(limits.body_seconds + static_cast<double>(bytes.size()) / limits.slowest_rate);
  if (chunk && bytes.size() == 0)
    co_await asio::async_write(transport_, http::make_chunk_last(), or_error(error));
  else if (chunk)
    co_await asio::async_write(transport_, http::make_chunk(bytes), or_error(error));
  else
    co_await asio::async_write(transport_, bytes, or_error(error));
  co_return !error;
}

}  // namespace rlhf::serving::detail
