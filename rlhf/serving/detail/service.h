#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string_view>

#include "rlhf/serving/detail/workers.h"
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
  void add(Peer* peer);
  int count();
  void remove(Peer* peer);
  void wind_down();
  void cut();
  bool wait_until_empty(std::chrono::duration<double> patience);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Peer*> peers_;
};

/// What all connections share.
struct Service {
  Service(ServerOptions given_options, Router given_router);

  const ServerOptions options;
  const Router router;
  Peers peers;
  std::atomic<bool> stopping = false;
  Workers workers, streamers;

  /// Before the body is read, on the I/O thread: an answer when the request goes no further.
  std::optional<Response> refuse(Request& request, const Route* route);
  /// On a worker.
  Response answer(Request& request, const Route& route);
  /// A WebSocket, before its handshake, on a worker: fills `events`, or says why not.
  std::optional<Response> open(Request& request, const Route& route, std::shared_ptr<Socket> socket,
                               SocketEvents& events);
  /// One message, on a worker. False: the handler failed.
  bool receive(const SocketEvents& events, std::string_view message, bool binary) const;
  void log(std::string_view line) const;
};

}  // namespace rlhf::serving::detail
