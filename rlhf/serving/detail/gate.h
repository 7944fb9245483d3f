#pragma once
#include <memory>
#include <optional>
#include <string>

#include "rlhf/serving/auth.h"
#include "rlhf/serving/rate_limit.h"
#include "rlhf/serving/server.h"

namespace rlhf::serving::detail {

/// "127.0.0.1", "::1", "localhost", with or without a port: the browser of this machine talks to itself.
bool is_loopback(std::string_view host);

/// Lets a request through, or says why not. Usable from several threads.
class Gate {
 public:
  Gate(const ServerOptions& options, std::shared_ptr<Auth> auth);

  /// What costs nothing and needs no body: a believable Host, no foreign Origin, not too many requests. Fills
  /// `address` and `secure` from a trusted proxy's headers.
  std::optional<Response> before_body(Request& request, const Route* route, bool upgrade);

  /// Who is it, and may they? Fills `session`.
  std::optional<Response> before_handler(Request& request, const Route& route, bool upgrade);

  /// The headers that every answer carries.
  void protect(const Request& request, Response& response) const;

 private:
  void believe_proxy(Request& request) const;
  bool good_host(const Request& request) const;
  bool good_origin(const Request& request) const;
  bool trusts(std::string_view address) const;
  std::optional<Response> take(const std::string& key, double cost);

  const ServerOptions& options_;
  const std::shared_ptr<Auth> auth_;
  const bool local_;  // listens on this machine's own network only
  std::optional<RateLimiter> allowances_;
};

}  // namespace rlhf::serving::detail
