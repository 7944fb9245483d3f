#include "rlhf/serving/detail/service.h"

#include "rlhf/core/clock.h"

namespace rlhf::serving::detail {

void Peers::add(Peer* peer, const std::string& address) {
  const std::lock_guard lock(mutex_);
  peers_.emplace(peer, address);
  ++of_address_[address];
}

void Peers::remove(Peer* peer) {
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(peer);
  const auto of_address = of_address_.find(found->second);
  if (--of_address->second == 0) of_address_.erase(of_address);
  peers_.erase(found);
  if (peers_.empty()) changed_.notify_all();
}

int Peers::count() {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(peers_.size());
}

int Peers::count(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = of_address_.find(address);
  return found == of_address_.end() ? 0 : found->second;
}

void Peers::wind_down() {
  const std::lock_guard lock(mutex_);
  for (const auto& [peer, address] : peers_) peer->wind_down();
}

void Peers::cut() {
  const std::lock_guard lock(mutex_);
  for (const auto& [peer, address] : peers_) peer->cut();
}

bool Peers::wait_until_empty(std::chrono::duration<double> patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return peers_.empty(); });
}

Service::Service(ServerOptions given_options, Router given_router, std::shared_ptr<Auth> auth)
    : options(std::move(given_options)),
      router(std::move(given_router)),
      metrics(options.metrics),
      gate(options, std::move(auth)),
      workers(options.workers, options.limits.waiting),
      streamers(options.limits.streams, 0) {
  if (!options.audit.empty()) audit.emplace(options.audit);
}

std::optional<Response> Service::refuse(Request& request, const Route* route, bool upgrade) {
  return gate.before_body(request, route, upgrade);
}

Response Service::answer(Request& request, const Route& route) {
  const double begin = steady_seconds();
  auto response = gate.before_handler(request, route, false).value_or(Response{.status = 0});
  if (response.status == 0) response = Router::run(route, request);
  if (!response.log.empty()) log(request.method + " " + request.path + ": " + response.log);
  record(request, route, response.status);
  metrics
      ->histogram("rlhf_http_request_seconds", "Time from a whole request to its answer, or to the start of its stream",
                  {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60}, {{"route", route.pattern}})
      .observe(steady_seconds() - begin);
  return response;
}

std::optional<Response> Service::open(Request& request, const Route& route, std::shared_ptr<Socket> socket,
                                      SocketEvents& events) {
  auto refusal = gate.before_handler(request, route, true);
  if (!refusal) {
    // The handler runs as any other, so that its errors turn into answers the same way.
    const Route opening{.options = route.options, .handler = [&](const Request& asked) {
                          events = route.socket(asked, socket);
                          return Response::empty(101);
                        }};
    refusal = Router::run(opening, request);
  }
  record(request, route, refusal->status);
  if (refusal->status == 101) return std::nullopt;
  return refusal;
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

/// Into the audit log: what changed something or tried to, and whoever was turned away.
void Service::record(const Request& request, const Route& route, int status) {
  if (!audit) return;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && status != 101 && status != 401 && status != 403) return;
  try {
    audit->write(request, route.method + " " + route.pattern, status);
  } catch (const Error& error) {
    log(std::string("the audit log cannot be written: ") + error.what());
  }
}

void Service::finish(const Request& request, Response& response) {
  gate.protect(request, response);
  metrics->counter("rlhf_http_responses_total", "Answers by status", {{"status", std::to_string(response.status)}})
      .add();
  if (options.log_requests)
    log(request.address + " " + request.method + " " + request.path + " " + std::to_string(response.status));
}

bool Service::takes_connection_from(const std::string& address) {
  metrics->counter("rlhf_http_connections_total", "Connections that were opened").add();
  const auto& limits = options.limits;
  // All clients of a proxy, and of a program's tests, come from this machine.
  const bool many = !is_loopback(address) && peers.count(address) >= limits.connections_from_one;
  return !many && peers.count() < limits.connections;
}

void Service::log(std::string_view line) const {
  if (options.log) options.log(line);
}

}  // namespace rlhf::serving::detail
