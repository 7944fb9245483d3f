#include "rlhf/serving/login_routes.h"

#include <nlohmann/json.hpp>

#include "rlhf/serving/secrets.h"

namespace rlhf::serving {
namespace {

constexpr RouteOptions login_options{.access = Access::everyone, .body_limit = 4096, .csrf = false, .cost = 5};

/// A text of a JSON object; empty when it is missing or no text.
std::string text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

nlohmann::json session_json(const Principal& principal) {
  return {{"name", principal.name}, {"role", name_of(principal.role)}, {"csrf", principal.csrf}};
}

Response signed_in(const Request& request, const std::optional<Auth::Login>& login, const std::string& failure) {
  if (!login) return Response::error(401, failure, "Ask the owner of this server for an account.");
  auto response = Response::json(session_json(login->principal));
  response.headers.set("Set-Cookie", Auth::cookie(login->id, request.secure));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Response who(const Request& request, bool login_needed, bool participants) {
  nlohmann::json json = {{"login", login_needed}, {"participants", participants}, {"session", nullptr}};
  if (request.session) json["session"] = session_json(*request.session);
  auto response = Response::json(json);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

void add_login_routes(Router& router, std::shared_ptr<Auth> auth) {
  router.get(
      "/api/session",
      [auth](const Request& request) { return who(request, auth != nullptr, auth && auth->takes_participants()); },
      {.access = Access::everyone});
  if (!auth) return;
  router.post(
      "/api/login",
      [auth](const Request& request) {
        const auto body = request.json();
        const auto token = text_at(body, "token");
        if (!token.empty())
          return signed_in(request, auth->sign_in_with_token(token, request.address), "this token is not known");
        return signed_in(request, auth->sign_in(text_at(body, "name"), text_at(body, "password"), request.address),
                         "name or password is wrong");
      },
      login_options);
  router.post(
      "/api/participate",
      [auth](const Request& request) {
        const auto id = text_at(request.json(), "participant");
        return signed_in(request, auth->participate(id, request.address), "participants cannot sign in here");
      },
      login_options);
  router.post("/api/logout", [auth](const Request& request) {
    auth->sign_out(*request.session);
    auto response = Response::empty();
    response.headers.set("Set-Cookie", Auth::cookie("", request.secure));
    return response;
  });
}

}  // namespace rlhf::serving
