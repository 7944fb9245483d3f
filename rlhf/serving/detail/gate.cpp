#include "rlhf/serving/detail/gate.h"

#include <algorithm>
#include <cmath>

#include "rlhf/serving/secrets.h"

namespace rlhf::serving::detail {
namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, std::min(host.find(']') + 1, host.size()));
  return host.substr(0, host.find(':'));
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool changes_state(const Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

Response not_signed_in() {
  auto response = Response::error(401, "this needs a login", "Sign in, or send Authorization: Bearer <token>.");
  response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (std::count(host.begin(), host.end(), ':') > 1 && !host.starts_with('[')) return host == "::1";
  const auto name = without_port(host);
  if (equal_ignoring_case(name, "localhost") || name == "[::1]") return true;
  // 127.0.0.0/8, written as four numbers: "127.evil.example" is none.
  return name.starts_with("127.") && std::count(name.begin(), name.end(), '.') == 3 &&
         name.find_first_not_of("0123456789.") == name.npos;
}

Gate::Gate(const ServerOptions& options, std::shared_ptr<Auth> auth)
    : options_(options), auth_(std::move(auth)), local_(is_loopback(options.address)) {
  // A program of this machine may ask as fast as it can; others have an allowance.
  const double rate = options.limits.requests_per_second.value_or(auth_ ? 50 : 0);
  if (rate > 0) allowances_.emplace(rate, rate * 4);
  if (local_) return;
  if (!auth_)
    throw Error({.category = Category::usage,
                 .where = "address " + options.address,
                 .what = "others could reach this server, and it has no accounts",
                 .fix = "Add an owner and annotators, or listen on 127.0.0.1."});
  auth_->require_ready_for_network();
}

std::optional<Response> Gate::before_body(Request& request, const Route* route, bool upgrade) {
  if (!good_host(request))
    return Response::error(421, "this server does not answer to that name", "Use the address that it printed.", "Host");
  believe_proxy(request);
  if ((changes_state(request) || upgrade) && !good_origin(request))
    return Response::error(403, "the request comes from a page of another site", "", "Origin");
  return take("address " + request.address, route ? route->options.cost : 1.0);
}

std::optional<Response> Gate::before_handler(Request& request, const Route& route, bool upgrade) {
  request.session = auth_ ? auth_->identify(request) : Principal{.name = "local", .role = Role::owner};
  const auto& session = request.session;
  if (route.options.access != Access::everyone) {
    if (!session) return not_signed_in();
    if (!may_use(route.options.access, session->role))
      return Response::error(403, "your role does not allow this", "Ask the owner of this server.");
  }
  if (!session || session->session.empty()) return std::nullopt;  // no cookie that a foreign page could use
  if (upgrade && !request.headers.has("Origin"))
    return Response::error(403, "a WebSocket with a login has to name its page", "", "Origin");
  if (changes_state(request) && route.options.csrf &&
      !equal_in_constant_time(request.headers.get("X-CSRF-Token"), session->csrf))
    return Response::error(403, "the page's token is missing or old", "Load the page again.", "X-CSRF-Token");
  return take("principal " + session->name, route.options.cost);
}

void Gate::protect(const Request& request, Response& response) const {
  auto& headers = response.headers;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!headers.has(name)) headers.add(name, value);
  };
  add("X-Content-Type-Options", "nosniff");
  add("Referrer-Policy", "no-referrer");
  add("X-Frame-Options", "DENY");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  add("Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
      "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
      "form-action 'self'; frame-ancestors 'none'");
  if (request.path.starts_with("/api/")) add("Cache-Control", "no-store");
  if (request.secure) add("Strict-Transport-Security", "max-age=31536000");
}

/// The last proxy writes to the right: reading from there, the first address that is none of ours is the client.
void Gate::believe_proxy(Request& request) const {
  if (!trusts(request.address)) return;
  if (equal_ignoring_case(request.headers.get("X-Forwarded-Proto"), "https")) request.secure = true;
  std::string_view list = request.headers.get("X-Forwarded-For");
  while (!list.empty() && trusts(request.address)) {
    const auto comma = list.rfind(',');
    const auto last = trim(comma == list.npos ? list : list.substr(comma + 1));
    if (last.empty() || last.size() > 45) return;
    request.address = last;
    list = comma == list.npos ? std::string_view() : list.substr(0, comma);
  }
}

bool Gate::trusts(std::string_view address) const {
  const auto& proxies = options_.trusted_proxies;
  return std::find(proxies.begin(), proxies.end(), address) != proxies.end();
}

/// DNS rebinding: a foreign page whose name suddenly means 127.0.0.1 reaches us, but it says its own name in Host.
bool Gate::good_host(const Request& request) const {
  if (request.headers.count("Host") != 1) return false;
  const auto host = request.headers.get("Host");
  const auto known = [&](const std::string& name) {
    return equal_ignoring_case(host, name) || equal_ignoring_case(without_port(host), name);
  };
  if (std::any_of(options_.hosts.begin(), options_.hosts.end(), known)) return true;
  return local_ ? is_loopback(host) : options_.hosts.empty() && !host.empty();
}

/// Browsers name the page's origin with everything that changes state; programs name none.
bool Gate::good_origin(const Request& request) const {
  const auto site = request.headers.get("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") return false;
  if (!request.headers.has("Origin")) return true;
  const auto expected = std::string(request.secure ? "https://" : "http://").append(request.headers.get("Host"));
  return request.headers.count("Origin") == 1 && equal_ignoring_case(request.headers.get("Origin"), expected);
}

std::optional<Response> Gate::take(const std::string& key, double cost) {
  const double wait = allowances_ ? allowances_->take(key, cost) : 0;
  if (wait == 0) return std::nullopt;
  auto response = Response::error(429, "there were too many requests", "Slow down.");
  response.headers.set("Retry-After", std::to_string(static_cast<int>(std::ceil(wait))));
  return response;
}

}  // namespace rlhf::serving::detail
