#include "rlhf/serving/http.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "rlhf/serving/url.h"

namespace rlhf::serving {
namespace {

/// How deep brackets nest outside of strings: reading such JSON is safe, but code that walks it later may recurse.
int nesting(std::string_view json) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

void require_type(const Request& request, std::string_view wanted) {
  const auto type = request.headers.get("Content-Type");
  const auto name = type.substr(0, type.find_first_of("; "));
  if (equal_ignoring_case(name, wanted)) return;
  throw Error({.category = Category::usage,
               .where = "Content-Type",
               .what = "it is \"" + std::string(type) + "\", and this address takes " + std::string(wanted),
               .fix = "Send the header Content-Type: " + std::string(wanted) + "."});
}

}  // namespace

const std::string& Request::parameter(std::string_view name) const {
  static const std::string none;
  const auto found = parameters.find(name);
  return found == parameters.end() ? none : found->second;
}

std::string Request::query_text(std::string_view name, std::string_view otherwise) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string(otherwise) : found->second;
}

long long Request::query_number(std::string_view name, long long otherwise, long long low, long long high) const {
  const auto found = query.find(name);
  if (found == query.end()) return otherwise;
  const auto& text = found->second;
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= low && number <= high) return number;
  throw Error(
      {.category = Category::usage,
       .where = "query " + std::string(name),
       .what = "\"" + text + "\" is not a whole number from " + std::to_string(low) + " to " + std::to_string(high),
       .fix = "Leave it out for " + std::to_string(otherwise) + "."});
}

nlohmann::json Request::json() const {
  // A form of another site can send text/plain without asking first, but not this type (CORS).
  require_type(*this, "application/json");
  constexpr int deepest = 100;
  if (nesting(body) > deepest)
    throw Error({.category = Category::bad_data,
                 .where = "body",
                 .what = "the JSON is nested more than " + std::to_string(deepest) + " deep",
                 .fix = "Flatten it."});
  try {
    return nlohmann::json::parse(body);
  } catch (const nlohmann::json::parse_error& error) {
    throw Error({.category = Category::bad_data,
                 .where = "body, byte " + std::to_string(error.byte),
                 .what = "it is not JSON",
                 .fix = "Send one JSON value in UTF-8."});
  }
}

TextMap Request::form() const {
  require_type(*this, "application/x-www-form-urlencoded");
  return decode_form(body);
}

Response Response::json(const nlohmann::json& value, int status) {
  // Text of models and users may be cut inside a character: such bytes become U+FFFD and nothing is refused.
  auto text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  Response response{.status = status, .headers = {}, .body = std::move(text)};
  response.headers.set("Content-Type", "application/json");
  return response;
}

Response Response::text(std::string text, int status) {
  auto response = bytes(std::move(text), "text/plain; charset=utf-8");
  response.status = status;
  return response;
}

Response Response::bytes(std::string bytes, std::string_view mime) {
  Response response{.status = 200, .headers = {}, .body = std::move(bytes)};
  response.headers.set("Content-Type", mime);
  return response;
}

Response Response::empty(int status) { return {.status = status}; }

Response Response::redirect(std::string_view location) {
  Response response{.status = 303};
  response.headers.set("Location", location);
  return response;
}

Response Response::error(int status, std::string_view what, std::string_view fix, std::string_view where) {
  const auto message = std::string(what) + (fix.empty() ? "" : ". ") + std::string(fix);
  return json({{"error", {{"message", message}, {"what", what}, {"where", where}, {"fix", fix}}}}, status);
}

Response Response::error(const Error& error) {
  return Response::error(status_of(error.category()), error.problem(), error.fix(), error.where());
}

Response Response::events(std::function<void(std::shared_ptr<Stream>)> write) {
  Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Accel-Buffering", "no");  // nginx would hold events back
  response.stream = std::move(write);
  return response;
}

int status_of(Category category) {
  switch (category) {
    case Category::usage:
    case Category::bad_data:
      return 400;
    case Category::check:
      return 409;
    case Category::resource:
      return 503;
    case Category::failure:
      break;
  }
  return 500;
}

}  // namespace rlhf::serving
