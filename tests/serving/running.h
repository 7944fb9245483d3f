#pragma once
#include "rlhf/serving/server.h"
#include "tests/serving/client.h"

namespace rlhf::serving {

/// Patience of a second, so that tests of it are quick.
inline ServerOptions quick() {
  ServerOptions options;
  options.limits.header_seconds = 1;
  options.limits.body_seconds = 1;
  options.limits.idle_seconds = 5;
  return options;
}

/// A server on a free port, for as long as the test.
class Running {
 public:
  explicit Running(Router router, ServerOptions options = quick(), std::shared_ptr<Auth> auth = nullptr)
      : server(std::move(options), std::move(router), std::move(auth)) {
    server.start();
  }
  Client client() { return Client(server.port()); }
  /// One request on a connection of its own.
  Client::Reply ask(std::string_view bytes) { return client().ask(bytes); }
  /// "localhost:1234", as a browser writes it into Host and Origin.
  std::string host() { return "localhost:" + std::to_string(server.port()); }

  Server server;
};

}  // namespace rlhf::serving
