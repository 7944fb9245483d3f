#include "rlhf/serving/page_session.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "rlhf/serving/body.h"

namespace rlhf::serving {
namespace {

constexpr std::string_view name_cookie = "rlhf_name";

Response described(const Principal& principal, const std::string& name, bool login, const std::string& project,
                   bool model, bool play) {
  nlohmann::json said = {{"annotator", name},  {"role", name_of(principal.role)},
                         {"csrf", principal.csrf}, {"login", login},
                         {"project", project}, {"model", model}};
  if (play) said["play"] = true;
  auto response = Response::json(said);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

std::string annotator_name(const Request& request) {
  const bool local = request.session->name == "local" && request.session->session.empty();
  const auto chosen = request.cookies.find(name_cookie);
  if (local) return chosen != request.cookies.end() && good_name(chosen->second) ? chosen->second : "me";
  return request.session->name;
}

void add_page_session(Router& router, std::shared_ptr<Auth> auth, std::string project, bool model, bool play) {
  const bool login = auth != nullptr;
  router.get("/api/session",
             [=](const Request& request) {
               if (request.session) return described(*request.session, annotator_name(request), login, project, model, play);
               return Response::error(401, "nobody is logged in",
                                      "Log in with the name and password that the owner gave you.");
             },
             {.access = Access::everyone});

  router.post("/api/login",
              [=](const Request& request) {
                const auto body = request.json();
                const auto name = body_field<std::string>(body, "name");
                if (!auth) {
                  if (!good_name(name))
                    return Response::error(400, "a name has 1 to 64 letters, digits, - _ . @", "Choose another one.");
                  auto response = described(*request.session, name, false, project, model, play);
                  response.headers.set("Set-Cookie",
                                       std::string(name_cookie) + "=" + name + "; Path=/; HttpOnly; SameSite=Strict");
                  return response;
                }
                const auto entered =
                    auth->sign_in(name, body_optional<std::string>(body, "password").value_or(""), request.address);
                if (!entered)
                  return Response::error(401, "name or password is wrong",
                                         "Ask the owner of this server for an account.");
                auto response = described(entered->principal, entered->principal.name, true, project, model, play);
                response.headers.set("Set-Cookie", Auth::cookie(entered->id, request.secure));
                return response;
              },
              {.access = Access::everyone, .body_limit = 4096, .csrf = false, .cost = 5});
}

}  // namespace rlhf::serving
