#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/serving/http.h"

namespace rlhf::serving {

/// Answers a request. Runs on a worker: it may wait for a disk or a database. An rlhf::Error that it throws becomes a
/// JSON answer with the status of its category.
using Handler = std::function<Response(const Request&)>;

/// Takes a WebSocket; runs before the handshake, so that a thrown rlhf::Error refuses it with a plain answer. What is
/// sent meanwhile waits for the handshake.
using SocketHandler = std::function<SocketEvents(const Request&, std::shared_ptr<Socket>)>;

struct RouteOptions {
  Access access = Access::signed_in;
  std::size_t body_limit = 1 << 20;  // bytes
  /// State-changing requests of a browser need the page's CSRF token. Only a route that makes no use of who is signed
  /// in (the login itself) goes without.
  bool csrf = true;
  double cost = 1.0;  // what a request takes from its sender's allowance (see Limits::requests_per_second)
};

struct Route {
  std::string method, pattern;
  std::vector<std::string> pieces;  // of the pattern
  RouteOptions options;
  Handler handler;  // one of the two
  SocketHandler socket;
};

/// Which function answers which address. A pattern is a path whose pieces may be parameters: "/api/answers/{id}"; a
/// last piece "{path...}" takes all that is left. Fixed pieces win over parameters. Filled before the server starts;
/// then any number of threads may use it.
class Router {
 public:
  void get(std::string_view pattern, Handler handler, RouteOptions options = {});
  void post(std::string_view pattern, Handler handler, RouteOptions options = {});
  void put(std::string_view pattern, Handler handler, RouteOptions options = {});
  void patch(std::string_view pattern, Handler handler, RouteOptions options = {});
  void remove(std::string_view pattern, Handler handler, RouteOptions options = {});  // DELETE
  void websocket(std::string_view pattern, SocketHandler handler, RouteOptions options = {});
  /// Throws rlhf::Error (usage) when the method and pattern are already there.
  void add(Route route);

  /// What a GET gets that matches nothing else (the pages of a single-page program).
  void fallback(Handler handler, RouteOptions options = {});

  /// Where a request goes. `route` is null when there is no way to serve it; `refusal` says why (400, 404, 405 with
  /// Allow, or the answer to OPTIONS). Fills request.parameters. HEAD is served by GET's route.
  struct Match {
    const Route* route = nullptr;
    Response refusal;
  };
  Match match(Request& request, bool upgrade = false) const;

  /// Runs the route's handler; its errors become answers.
  static Response run(const Route& route, const Request& request);

  bool has(std::string_view method, std::string_view pattern) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::unique_ptr<Route> fallback_;
};

}  // namespace rlhf::serving
