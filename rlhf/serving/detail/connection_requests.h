#pragma once
#include <limits>

#include "rlhf/serving/detail/connection_impl.h"

namespace rlhf::serving::detail {

/// What to answer to bytes that are no HTTP; -1 when there is nobody to answer.
inline int status_of_read(const error_code& error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message) return -1;
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::buffer_overflow) return 431;
  static const auto& http_errors = error_code(http::error::end_of_stream).category();
  return error.category() == http_errors ? 400 : -1;
}

inline Response refusal_of(int status) {
  if (status == 413) return Response::error(413, "the body is larger than this address takes");
  if (status == 431) return Response::error(431, "the headers are too large");
  return Response::error(status, "this is no HTTP request that can be read");
}

template <class Transport>
asio::awaitable<bool> Connection<Transport>::wait_for_request() {
  if (buffer_.size() > 0) co_return true;  // pipelined
  if (service_.stopping) co_return false;
  error_code error;
  idle_ = true;
  deadline(service_.options.limits.idle_seconds);
  const auto got = co_await transport_.async_read_some(buffer_.prepare(4096), or_error(error));
  idle_ = false;
  buffer_.commit(got);
  co_return !error;
}

template <class Transport>
asio::awaitable<int> Connection<Transport>::read_head(Parser& parser) {
  error_code error;
  deadline(service_.options.limits.header_seconds);
  co_await http::async_read_header(transport_, buffer_, parser, or_error(error));
  co_return error ? status_of_read(error) : 0;
}

template <class Transport>
asio::awaitable<int> Connection<Transport>::read_body(Parser& parser, std::size_t limit) {
  const auto length = parser.content_length();
  if (length && *length > limit) co_return 413;
  if (parser.is_done()) co_return 0;
  error_code error;
  const auto& limits = service_.options.limits;
  deadline(limits.body_seconds + static_cast<double>(length.value_or(limit)) / limits.slowest_rate);
  parser.body_limit(limit);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(transport_, asio::buffer(go_on), or_error(error));
    if (error) co_return -1;
  }
  co_await http::async_read(transport_, buffer_, parser, or_error(error));
  co_return error ? status_of_read(error) : 0;
}

template <class Transport>
asio::awaitable<bool> Connection<Transport>::serve_one() {
  const bool arrived = co_await wait_for_request();
  if (!arrived) co_return false;
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(service_.options.limits.header_bytes));
  // The route says how much; until then nothing of the body is read. (With boost::none, Beast 1.74 takes no body.)
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  Request request;
  int refused = co_await read_head(parser);
  if (refused < 0) co_return false;
  if (refused > 0) co_return co_await refuse(refusal_of(refused), request, 11);

  request = request_of(parser.get());
  request.address = address_;
  request.secure = is_tls<Transport>;
  const auto version = parser.get().version();
  const bool upgrade = beast::websocket::is_upgrade(parser.get());
  auto match = service_.router.match(request, upgrade);
  auto refusal = service_.refuse(request, match.route, upgrade);
  if (!refusal && !match.route) refusal = std::move(match.refusal);
  const bool keep_alive = parser.keep_alive();
  if (refusal && parser.is_done()) co_return co_await write(std::move(*refusal), request, version, keep_alive);
  if (refusal) co_return co_await refuse(std::move(*refusal), request, version);
  if (upgrade) {
    co_await serve_socket(std::move(request), *match.route, parser.get());
    co_return false;
  }
  refused = co_await read_body(parser, match.route->options.body_limit);
  if (refused < 0) co_return false;
  if (refused > 0) co_return co_await refuse(refusal_of(refused), request, version);
  request.body = std::move(parser.get().body());

  auto response = co_await answer(request, *match.route);
  if (response.stream && request.method != "HEAD")
    co_return co_await write_stream(std::move(response), request, version, keep_alive);
  co_return co_await write(std::move(response), request, version, keep_alive);
}

template <class Transport>
asio::awaitable<Response> Connection<Transport>::answer(Request& request, const Route& route) {
  lowest().expires_never();
  auto work = [this, &request, &route] { return service_.answer(request, route); };
  auto response = co_await on_worker<Response>(service_.workers, work);
  if (response) co_return std::move(*response);
  auto busy = Response::error(503, "the server has more work than it can take", "Try again in a second.");
  busy.headers.set("Retry-After", "1");
  co_return busy;
}

}  // namespace rlhf::serving::detail
