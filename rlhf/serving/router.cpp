#include "rlhf/serving/router.h"

#include <algorithm>
#include <new>

#include "rlhf/serving/url.h"

namespace rlhf::serving {
namespace {

bool is_parameter(std::string_view piece) { return piece.size() > 2 && piece.front() == '{' && piece.back() == '}'; }
bool takes_rest(std::string_view piece) { return is_parameter(piece) && piece.ends_with("...}"); }

std::string_view name_of(std::string_view piece) {
  piece = piece.substr(1, piece.size() - 2);
  if (piece.ends_with("...")) piece.remove_suffix(3);
  return piece;
}

std::string joined(const std::vector<std::string>& pieces, std::size_t first) {
  std::string text;
  for (auto i = first; i < pieces.size(); ++i) text.append(i > first ? "/" : "").append(pieces[i]);
  return text;
}

/// 0 = no match; otherwise the more fixed pieces, the higher. Fills `parameters`.
int fit(const Route& route, const std::vector<std::string>& path, TextMap& parameters) {
  const auto& pieces = route.pieces;
  const bool open = takes_rest(pieces.back());
  if (open ? path.size() < pieces.size() : path.size() != pieces.size()) return 0;
  int score = 1;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (takes_rest(pieces[i])) {
      parameters.emplace(name_of(pieces[i]), joined(path, i));
    } else if (is_parameter(pieces[i])) {
      if (path[i].empty()) return 0;
      parameters.emplace(name_of(pieces[i]), path[i]);
      score += 1;
    } else {
      if (pieces[i] != path[i]) return 0;
      score += 2;
    }
  }
  return score;
}

std::string allowed(const std::vector<std::string>& methods) {
  std::string text = "OPTIONS";
  for (const auto& method : methods) text += ", " + method + (method == "GET" ? ", HEAD" : "");
  return text;
}

Response wrong_method(const Request& request, const std::vector<std::string>& methods) {
  auto response = request.method == "OPTIONS"
                      ? Response::empty()
                      : Response::error(405, request.method + " is not possible here",
                                        "The methods are: " + allowed(methods) + ".", request.path);
  response.headers.set("Allow", allowed(methods));
  return response;
}

}  // namespace

void Router::get(std::string_view pattern, Handler handler, RouteOptions options) {
  add({"GET", std::string(pattern), {}, options, std::move(handler), nullptr});
}
void Router::post(std::string_view pattern, Handler handler, RouteOptions options) {
  add({"POST", std::string(pattern), {}, options, std::move(handler), nullptr});
}
void Router::put(std::string_view pattern, Handler handler, RouteOptions options) {
  add({"PUT", std::string(pattern), {}, options, std::move(handler), nullptr});
}
void Router::patch(std::string_view pattern, Handler handler, RouteOptions options) {
  add({"PATCH", std::string(pattern), {}, options, std::move(handler), nullptr});
}
void Router::remove(std::string_view pattern, Handler handler, RouteOptions options) {
  add({"DELETE", std::string(pattern), {}, options, std::move(handler), nullptr});
}
void Router::websocket(std::string_view pattern, SocketHandler handler, RouteOptions options) {
  add({"WEBSOCKET", std::string(pattern), {}, options, nullptr, std::move(handler)});
}

bool Router::has(std::string_view method, std::string_view pattern) const {
  const auto same = [&](const Route& route) { return route.method == method && route.pattern == pattern; };
  return std::any_of(routes_.begin(), routes_.end(), same);
}

void Router::add(Route route) {
  const auto pieces = split_path(route.pattern);
  if (!pieces || has(route.method, route.pattern))
    throw Error({.category = Category::usage,
                 .where = "route " + route.method + " " + route.pattern,
                 .what = pieces ? "it is there twice" : "it is no path",
                 .fix = "Give each method and path once, starting with '/'."});
  route.pieces = *pieces;
  routes_.push_back(std::move(route));
}

void Router::fallback(Handler handler, RouteOptions options) {
  fallback_ = std::make_unique<Route>(Route{"GET", "(any page)", {}, options, std::move(handler), nullptr});
}

Router::Match Router::match(Request& request, bool upgrade) const {
  const auto path = split_path(request.path);
  if (!path) return {.refusal = Response::error(400, "the address cannot be read", "", request.path)};
  const auto wanted = upgrade ? "WEBSOCKET" : request.method == "HEAD" ? "GET" : request.method;
  const Route* best = nullptr;
  int best_score = 0;
  std::vector<std::string> methods;
  for (const auto& route : routes_) {
    TextMap parameters;
    const int score = fit(route, *path, parameters);
    if (score == 0) continue;
    if (route.method != wanted) {
      if (route.handler) methods.push_back(route.method);
    } else if (score > best_score) {
      best = &route, best_score = score;
      request.parameters = std::move(parameters);
    }
  }
  if (best) return {.route = best};
  if (!methods.empty()) return {.refusal = wrong_method(request, methods)};
  if (fallback_ && wanted == "GET") return {.route = fallback_.get()};
  return {.refusal = Response::error(404, "there is nothing at this address", "", request.path)};
}

Response Router::run(const Route& route, const Request& request) {
  try {
    return route.handler(request);
  } catch (const Error& error) {
    return Response::error(error);
  } catch (const std::bad_alloc&) {
    return Response::error(503, "there is not enough memory for this request", "Ask for less, or later.");
  } catch (const std::exception& error) {
    // What an unforeseen exception says may hold paths or data: it goes to the log, never to the client.
    auto response = Response::error(500, "the server failed", "Its log says more.", request.path);
    response.log = error.what();
    return response;
  }
}

}  // namespace rlhf::serving
