#pragma once
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/serving/audit.h"
#include "rlhf/serving/detail/gate.h"
#include "rlhf/serving/detail/workers.h"
#include "rlhf/serving/metrics_registry.h"
#include "rlhf/serving/server.h"

namespace rlhf::serving::detail {

/// One connection, as the server sees it. The calls may come from any thread.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void wind_down() = 0;  // closes at once when idle, else after the answer in flight
  virtual void cut() = 0;
};

/// Who is connected now.
class Peers {
 public:
  void add(Peer* peer, const std::string& address);
  void remove(Peer* peer);
  int count();
  int count(const std::string& address);
  void wind_down();
  void cut();
  bool wait_until_empty(std::chrono::duration<double> patience);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Peer*, std::string> peers_;
  std::map<std::string, int> of_address_;
};

/// What all connections share. Everything but the counters is fixed before the first of them.
struct Service {
  Service(ServerOptions given_options, Router given_router, std::shared_ptr<Auth> auth);

  const ServerOptions options;
  const Router router;
  std::shared_ptr<MetricsRegistry> metrics;
  Gate gate;
  std::optional<AuditLog> audit;
  Peers peers;
  std::atomic<bool> stopping = false;
  Workers workers, streamers;

  /// Before the body is read, on the I/O thread: an answer when the request goes no further.
  std::optional<Response> refuse(Request& request, const Route* route, bool upgrade);
  /// On a worker.
  Response answer(Request& request, const Route& route);
  /// A WebSocket, before its handshake, on a worker: fills `events`, or says why not.
  std::optional<Response> open(Request& request, const Route& route, std::shared_ptr<Socket> socket,
                               SocketEvents& events);
  /// One message, on a worker. False: the handler failed.
  bool receive(const SocketEvents& events, std::string_view message, bool binary) const;

  /// What every answer goes through on its way out.
  void finish(const Request& request, Response& response);
  bool takes_connection_from(const std::string& address);
  void log(std::string_view line) const;

 private:
  void record(const Request& request, const Route& route, int status);
};

}  // namespace rlhf::serving::detail
