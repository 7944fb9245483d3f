// Any bytes as what a client sends: read by the parser, checked by the gate, routed, answered by handlers that read
// query, form and JSON. Every request gets an answer with a status, and nothing else happens.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "rlhf/serving/detail/gate.h"
#include "rlhf/serving/detail/message.h"

namespace {

using namespace rlhf::serving;
namespace http = boost::beast::http;

Router make_router() {
  Router router;
  router.get("/items/{id}", [](const Request& asked) {
    asked.query_number("limit", 10, 0, 100);
    auto response = Response::text(asked.parameter("id"));
    response.headers.set("ETag", "\"" + std::to_string(asked.query.size()) + "\"");
    return response;
  });
  router.get("/files/{path...}", [](const Request& asked) { return Response::text(asked.parameter("path")); });
  router.post("/json", [](const Request& asked) { return Response::json(asked.json()); });
  router.post("/form", [](const Request& asked) { return Response::json(asked.form()); });
  return router;
}

Response answer(const Router& router, detail::Gate& gate, Request& request) {
  auto match = router.match(request);
  auto refusal = gate.before_body(request, match.route, false);
  if (!refusal && !match.route) refusal = std::move(match.refusal);
  if (!refusal) refusal = gate.before_handler(request, *match.route, false);
  auto response = refusal ? std::move(*refusal) : Router::run(*match.route, request);
  gate.protect(request, response);
  return response;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto router = make_router();
  static const ServerOptions options{.trusted_proxies = {"127.0.0.1"}};
  static detail::Gate gate(options, nullptr);

  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(16 << 10);
  parser.body_limit(64 << 10);
  std::size_t begin = 0;
  while (begin < size && !parser.is_done()) {
    boost::beast::error_code error;
    const auto used = parser.put(boost::asio::buffer(data + begin, size - begin), error);
    if (error || used == 0) return 0;
    begin += used;
  }
  if (!parser.is_header_done()) return 0;
  auto request = detail::request_of(parser.get());
  request.address = "127.0.0.1";
  request.body = parser.get().body();
  const auto response = answer(router, gate, request);
  if (response.status < 200 || response.status > 599) std::abort();
  const auto message = detail::message_of(response, parser.get().version(), parser.keep_alive());
  if (message.result_int() != static_cast<unsigned>(response.status)) std::abort();
  return 0;
}
