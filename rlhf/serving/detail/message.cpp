#include "rlhf/serving/detail/message.h"

#include <ctime>

#include "rlhf/serving/url.h"

namespace rlhf::serving::detail {
namespace {

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string http_date() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

template <class Body>
void fill(http::response<Body>& message, const Response& response, unsigned version, bool keep_alive) {
  message.version(version);
  message.result(static_cast<unsigned>(response.status));
  message.set(http::field::date, http_date());
  for (const auto& [name, value] : response.headers.all()) message.insert(name, value);
  message.keep_alive(keep_alive);
}

}  // namespace

Request request_of(const http::request_header<>& head) {
  Request request;
  request.method = head.method_string().to_string();
  for (const auto& field : head) request.headers.add(view(field.name_string()), view(field.value()));

  auto target = view(head.target());
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const auto authority = target.substr(scheme.size(), target.find_first_of("/?", scheme.size()) - scheme.size());
    request.headers.set("Host", authority);
    target.remove_prefix(scheme.size() + authority.size());
    break;
  }
  const auto question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  if (request.path.empty() && head.target().size() > 1) request.path = "/";
  if (question < target.size()) request.query = decode_form(target.substr(question + 1));
  for (const auto& [name, value] : request.headers.all())
    if (equal_ignoring_case(name, "Cookie")) request.cookies.merge(decode_cookies(value));
  return request;
}

http::response<Bytes> message_of(const Response& response, unsigned version, bool keep_alive) {
  http::response<Bytes> message;
  fill(message, response, version, keep_alive);
  const auto bytes = response.body.empty() ? response.fixed : std::string_view(response.body);
  message.body() = beast::span<const char>(bytes.data(), bytes.size());
  message.prepare_payload();
  return message;
}

http::response<http::empty_body> stream_head_of(const Response& response, unsigned version, bool keep_alive) {
  http::response<http::empty_body> message;
  fill(message, response, version, keep_alive && version >= 11);
  if (version >= 11) message.chunked(true);
  return message;
}

}  // namespace rlhf::serving::detail
