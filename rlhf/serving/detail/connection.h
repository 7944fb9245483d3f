#pragma once
#include <boost/beast/websocket.hpp>
#include <memory>
#include <optional>
#include <string>

#include "rlhf/serving/detail/beast.h"
#include "rlhf/serving/detail/channels.h"
#include "rlhf/serving/detail/message.h"
#include "rlhf/serving/detail/service.h"

namespace rlhf::serving::detail {

/// One client: reads requests one after the other, has them answered by a worker, writes what comes back. Everything
/// runs on the transport's executor (a strand); only `wind_down` and `cut` come from elsewhere.
///
/// Transport: beast::tcp_stream, the same inside TLS, or a local socket of a test.
template <class Transport>
class Connection final : public Peer, public std::enable_shared_from_this<Connection<Transport>> {
 public:
  Connection(Transport transport, Service& service, std::string address);
  ~Connection() override;

  void start();
  void wind_down() override;
  void cut() override;

 private:
  using Parser = http::request_parser<http::string_body>;
  template <class Result = void>
  using Task = asio::awaitable<Result>;

  Task<> run();
  Task<bool> handshake();
  Task<bool> serve_one();  // false: no more requests on this connection

  // Reading.
  Task<bool> wait_for_request();
  Task<int> read_head(Parser& parser);  // 0, or the status to refuse with; -1: the client has gone
  Task<int> read_body(Parser& parser, std::size_t limit);

  // Answering.
  Task<Response> answer(Request& request, const Route& route);
  Task<bool> write(Response response, const Request& request, unsigned version, bool keep_alive);
  Task<bool> write_stream(Response response, const Request& request, unsigned version, bool keep_alive);
  Task<bool> pump(StreamChannel& channel, bool chunked, bool endless, bool events);
  Task<bool> send(asio::const_buffer bytes, bool chunk);
  Task<bool> refuse(Response response, const Request& request, unsigned version);
  Task<> linger();
  Task<> finish();

  // WebSockets.
  Task<> serve_socket(Request request, const Route& route, const http::request<http::string_body>& message);
  Task<> read_messages(SocketEvents& events, SocketChannel& channel);
  Task<> write_messages(std::shared_ptr<SocketChannel> channel);

  auto& lowest() { return beast::get_lowest_layer(socket_ ? socket_->next_layer() : transport_); }
  void deadline(double after) { lowest().expires_after(seconds(after)); }
  std::function<void()> waker();
  Task<> sleep(double most);  // until woken, or the time is over
  bool hung_up();

  Transport transport_;
  std::optional<beast::websocket::stream<Transport>> socket_;  // has taken the transport over
  Service& service_;
  const std::string address_;
  beast::flat_buffer buffer_;
  asio::steady_timer wake_;
  std::weak_ptr<SocketChannel> channel_;
  bool idle_ = false;
};

}  // namespace rlhf::serving::detail
