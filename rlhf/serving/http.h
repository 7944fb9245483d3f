#pragma once
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/core/error.h"
#include "rlhf/serving/headers.h"
#include "rlhf/serving/principal.h"
#include "rlhf/serving/stream.h"

namespace rlhf::serving {

using TextMap = std::map<std::string, std::string, std::less<>>;

/// What a client asked for, decoded.
struct Request {
  std::string method;  // "GET"
  std::string path;    // as sent, still percent-encoded: "/api/answers/a%20b"
  TextMap query;       // "?limit=5" -> {"limit", "5"}; the first value of a name counts
  TextMap cookies;
  TextMap parameters;  // of the route's pattern: "{id}" -> {"id", "a b"}
  Headers headers;
  std::string body;
  std::string address;               // of the client: "127.0.0.1"; behind a trusted proxy the one that it names
  bool secure = false;               // came over TLS, here or at a trusted proxy
  std::optional<Principal> session;  // who asks; nobody on routes open to everyone without a login

  /// A value of the pattern; empty when the pattern has no such name.
  const std::string& parameter(std::string_view name) const;
  /// A value of the query, or `otherwise`.
  std::string query_text(std::string_view name, std::string_view otherwise = {}) const;
  /// The same as a whole number. Throws rlhf::Error (usage) for anything else, or a number outside [low, high].
  long long query_number(std::string_view name, long long otherwise, long long low, long long high) const;

  /// The body as JSON. Throws rlhf::Error: usage unless the Content-Type is application/json, bad_data when it is no
  /// JSON or is nested more than 100 deep.
  nlohmann::json json() const;
  /// The body as an HTML form (application/x-www-form-urlencoded).
  TextMap form() const;
};

/// What a handler answers. Headers for safety, length, date and connection are the server's work.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::string_view fixed = {};  // bytes that outlive the server (built-in files); sent when `body` is empty

  /// Writes the body instead, once the headers are on their way. It runs on a thread of its own and may wait, or keep
  /// the pointer and return. An endless one (a live feed) is cut at once when the server stops.
  std::function<void(std::shared_ptr<Stream>)> stream = nullptr;
  bool endless = false;

  std::string log = {};  // for the server's log, never sent

  static Response json(const nlohmann::json& value, int status = 200);
  static Response text(std::string text, int status = 200);
  static Response bytes(std::string bytes, std::string_view mime);
  static Response empty(int status = 204);
  static Response redirect(std::string_view location);  // 303: fetch it with GET
  /// {"error": {"message", "what", "where", "fix"}}; `message` is what programs that speak the OpenAI API look for.
  static Response error(int status, std::string_view what, std::string_view fix = {}, std::string_view where = {});
  static Response error(const Error& error);
  /// Server-sent events.
  static Response events(std::function<void(std::shared_ptr<Stream>)> write);
};

/// 400 for usage and bad_data, 409 for check, 503 for resource, 500 for failure.
int status_of(Category category);

}  // namespace rlhf::serving
