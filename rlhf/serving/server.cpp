#include "rlhf/serving/server.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <thread>

#include "rlhf/serving/detail/connection.h"
#include "rlhf/serving/login_routes.h"

namespace rlhf::serving {

using namespace detail;  // NOLINT: this file is where the pieces meet
using asio::ip::tcp;

namespace {

tcp::endpoint endpoint_of(const ServerOptions& options) {
  error_code error;
  const auto address = asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
  if (!error) return {address, options.port};
  throw Error({.category = Category::usage,
               .where = "address",
               .what = "\"" + options.address + "\" is no numeric address",
               .fix = "Use 127.0.0.1 for this machine only, or 0.0.0.0 for every network it is in."});
}

std::optional<asio::ssl::context> tls_of(const ServerOptions& options) {
  if (options.certificate.empty() && options.key.empty()) return std::nullopt;
  asio::ssl::context context(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  error_code error;
  context.use_certificate_chain_file(options.certificate.string(), error);
  if (!error) context.use_private_key_file(options.key.string(), asio::ssl::context::pem, error);
  if (!error && SSL_CTX_check_private_key(context.native_handle()) == 1) return context;
  throw Error({.category = Category::usage,
               .where = "certificate " + options.certificate.string() + ", key " + options.key.string(),
               .what = error ? error.message() : "the key does not belong to the certificate",
               .fix = "Give two PEM files: the certificate with its chain, and its private key without a password."});
}

void add_own_routes(Router& router, std::shared_ptr<MetricsRegistry> metrics, std::shared_ptr<Auth> auth) {
  if (!router.has("GET", "/health"))
    router.get("/health", [](const Request&) { return Response::bytes("{\"status\":\"ok\"}", "application/json"); },
               {.access = Access::everyone});
  const auto text = [metrics](const Request&) {
    return Response::bytes(metrics->text(), "text/plain; version=0.0.4; charset=utf-8");
  };
  if (!router.has("GET", "/metrics")) router.get("/metrics", text, {.access = Access::viewers});
  if (!router.has("GET", "/api/session")) add_login_routes(router, auth);
}

}  // namespace

struct Server::State {
  State(ServerOptions options, Router router, std::shared_ptr<Auth> auth)
      : tls(tls_of(options)),
        service(std::move(options), std::move(router), std::move(auth)),
        acceptor(asio::make_strand(io)) {}

  void listen();
  asio::awaitable<void> accept();
  void welcome(tcp::socket socket);

  std::optional<asio::ssl::context> tls;
  asio::io_context io{1};
  Service service;
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::thread thread;
};

void Server::State::listen() {
  const auto endpoint = endpoint_of(service.options);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) {
    port = acceptor.local_endpoint().port();
    return;
  }
  throw Error({.category = Category::resource,
               .where = service.options.address + " port " + std::to_string(service.options.port),
               .what = error.message(),
               .fix = "Choose another port; 0 takes any that is free."});
}

asio::awaitable<void> Server::State::accept() {
  for (;;) {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    auto socket = co_await acceptor.async_accept(asio::make_strand(io), token);
    if (!acceptor.is_open()) co_return;
    if (!error) {
      welcome(std::move(socket));
      continue;
    }
    // Most likely too many open files: it passes when a client leaves.
    service.log("a connection could not be accepted: " + error.message());
    asio::steady_timer pause(io, std::chrono::milliseconds(100));
    auto slept = asio::redirect_error(asio::use_awaitable, error);
    co_await pause.async_wait(slept);
  }
}

void Server::State::welcome(tcp::socket socket) {
  error_code error;
  const auto client = socket.remote_endpoint(error);
  if (error) return;
  socket.set_option(tcp::no_delay(true), error);
  auto address = client.address().to_string();
  if (!service.takes_connection_from(address)) return;  // the socket closes
  beast::tcp_stream stream(std::move(socket));
  if (tls) {
    using Tls = beast::ssl_stream<beast::tcp_stream>;
    std::make_shared<Connection<Tls>>(Tls(std::move(stream), *tls), service, std::move(address))->start();
  } else {
    std::make_shared<Connection<beast::tcp_stream>>(std::move(stream), service, std::move(address))->start();
  }
}

Server::Server(ServerOptions options, Router router, std::shared_ptr<Auth> auth) {
  if (!options.metrics) options.metrics = std::make_shared<MetricsRegistry>();
  add_own_routes(router, options.metrics, auth);
  state_ = std::make_unique<State>(std::move(options), std::move(router), std::move(auth));
}

Server::~Server() { stop(std::chrono::seconds(1)); }

void Server::start() {
  state_->listen();
  asio::co_spawn(state_->acceptor.get_executor(), state_->accept(), asio::detached);
  state_->thread = std::thread([this] { state_->io.run(); });
}

std::uint16_t Server::port() const { return state_->port; }

std::string Server::url() const {
  const auto& given = state_->service.options.address;
  const bool all = given == "0.0.0.0" || given == "::";
  const auto host = all ? "127.0.0.1" : given.find(':') == given.npos ? given : "[" + given + "]";
  return (state_->tls ? "https://" : "http://") + host + ":" + std::to_string(port());
}

void Server::stop(std::chrono::duration<double> patience) {
  if (!state_->thread.joinable()) return;
  auto& service = state_->service;
  service.stopping = true;
  asio::post(state_->acceptor.get_executor(), [this] { state_->acceptor.close(); });
  service.peers.wind_down();
  if (!service.peers.wait_until_empty(patience)) service.peers.cut();
  // Handlers that still run keep their connections, and the I/O thread, until they return.
  state_->thread.join();
  service.workers.finish();
  service.streamers.finish();
}

}  // namespace rlhf::serving
