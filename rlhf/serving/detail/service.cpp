#include "rlhf/serving/detail/service.h"

namespace rlhf::serving::detail {

void Peers::add(Peer* peer) {
  const std::lock_guard lock(mutex_);
  peers_.insert(peer);
}

int Peers::count() {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(peers_.size());
}

void Peers::remove(Peer* peer) {
  const std::lock_guard lock(mutex_);
  peers_.erase(peer);
  if (peers_.empty()) changed_.notify_all();
}

void Peers::wind_down() {
  const std::lock_guard lock(mutex_);
  for (auto* peer : peers_) peer->wind_down();
}

void Peers::cut() {
  const std::lock_guard lock(mutex_);
  for (auto* peer : peers_) peer->cut();
}

bool Peers::wait_until_empty(std::chrono::duration<double> patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return peers_.empty(); });
}

Service::Service(ServerOptions given_options, Router given_router)
    : options(std::move(given_options)),
      router(std::move(given_router)),
      workers(options.workers, options.limits.waiting),
      streamers(options.limits.streams, 0) {}

std::optional<Response> Service::refuse(Request& request, const Route* route) { return std::nullopt; }

Response Service::answer(Request& request, const Route& route) {
  request.session = Principal{.name = "local", .role = Role::owner};
  auto response = Router::run(route, request);
  if (!response.log.empty()) log(request.method + " " + request.path + ": " + response.log);
  return response;
}

std::optional<Response> Service::open(Request& request, const Route& route, std::shared_ptr<Socket> socket,
                                      SocketEvents& events) {
  request.session = Principal{.name = "local", .role = Role::owner};
  const Route opening{.options = route.options, .handler = [&](const Request& asked) {
                        events = route.socket(asked, socket);
                        return Response::empty(101);
                      }};
  auto response = Router::run(opening, request);  // its way of turning errors into answers
  if (response.status == 101) return std::nullopt;
  return response;
}

bool Service::receive(const SocketEvents& events, std::string_view message, bool binary) const {
  try {
    events.message(message, binary);
    return true;
  } catch (const std::exception& error) {
    log(std::string("a WebSocket's handler failed: ") + error.what());
    return false;
  }
}

void Service::log(std::string_view line) const {
  if (options.log) options.log(line);
}

}  // namespace rlhf::serving::detail
