#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/serving/auth.h"
#include "rlhf/serving/metrics_registry.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// What one client may cost. Times are seconds; every wait for a client has an end.
struct Limits {
  int connections = 2048;
  int connections_from_one = 256;  // address, other than this machine
  std::size_t header_bytes = 16 << 10;
  double header_seconds = 10;            // from the first byte of a request to the end of its headers
  double idle_seconds = 75;              // between two requests of one connection
  double body_seconds = 10;              // for a body, plus what `slowest_rate` grants its size
  double slowest_rate = 8 << 10;         // bytes per second: slower senders and readers are cut off
  std::size_t stream_bytes = 256 << 10;  // unsent bytes of a Stream or Socket before a writer waits or is refused
  std::size_t message_bytes = 1 << 20;   // of one WebSocket message
  int streams = 64;                      // answers written piece by piece at one time
  int waiting = 1024;                    // requests that wait for a worker; more are refused with 503
  /// For an address, and for a login; four times as many may come at once. Not set: 50 with accounts, else no limit.
  std::optional<double> requests_per_second;
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric; "0.0.0.0" or "::" for all
  std::uint16_t port = 0;             // 0 = any free one
  int workers = 8;                    // threads that run handlers
  Limits limits;
  std::filesystem::path certificate, key;  // PEM files: the certificate chain and its key; TLS when given
  /// Names that it answers to. On 127.0.0.1 the loopback names always count; on other addresses none given means any.
  std::vector<std::string> hosts = {};
  /// Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. They keep the Host.
  std::vector<std::string> trusted_proxies = {};
  std::filesystem::path audit = {};                     // JSON lines: who changed what; none when empty
  bool log_requests = false;                            // every request as a line of `log`
  std::function<void(std::string_view)> log = nullptr;  // lines for people
  std::shared_ptr<MetricsRegistry> metrics = nullptr;   // shared with other parts; an own one when empty
};

/// An HTTP/1.1 server: keep-alive, streams, WebSockets, TLS. Handlers run on workers; the I/O thread never waits for
/// them. To the router's addresses it adds, where they are free, /health, /metrics, and those of login_routes.h.
///
/// Without `auth` everybody is the owner, so it listens on this machine only, and answers only to its names. Errors of
/// the set-up are rlhf::Error: usage for an address or certificate that cannot be used, and for an address that others
/// can reach without the accounts it takes (Auth::require_ready_for_network); resource for a port that is taken.
class Server {
 public:
  Server(ServerOptions options, Router router, std::shared_ptr<Auth> auth = nullptr);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens, then returns. Connections wait from here on; they are answered at once.
  void start();

  std::uint16_t port() const;  // the one it listens on
  std::string url() const;     // "http://127.0.0.1:8080"

  /// Listens no more, lets requests in flight finish for up to `patience`, then closes what is left. Idle connections,
  /// endless streams and WebSockets are closed at once. Harmless when it has already stopped.
  void stop(std::chrono::duration<double> patience = std::chrono::seconds(10));

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rlhf::serving
