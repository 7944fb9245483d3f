#include "rlhf/serving/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rlhf/serving/url.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::serving {
namespace {

using testing::ElementsAre;
using testing::Pair;

Router some() {
  const auto say = [](std::string text) { return [text](const Request&) { return Response::text(text); }; };
  Router router;
  router.get("/api/items/{id}", say("one"));
  router.get("/api/items/new", say("new"));
  router.put("/api/items/{id}", say("put"));
  router.get("/files/{path...}", say("file"));
  router.get("/", say("root"));
  return router;
}

struct Asked {
  int status;
  std::string body;
  TextMap parameters;
  std::string allow;
};

Asked ask(const Router& router, std::string method, std::string path) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  const auto match = router.match(request);
  const auto response = match.route ? Router::run(*match.route, request) : match.refusal;
  return {response.status, response.body, request.parameters, std::string(response.headers.get("Allow"))};
}

TEST(Router, FixedPiecesWinOverParameters) {
  const auto router = some();
  EXPECT_EQ(ask(router, "GET", "/api/items/new").body, "new");
  EXPECT_EQ(ask(router, "GET", "/api/items/7").body, "one");
  EXPECT_EQ(ask(router, "HEAD", "/").body, "root");
}

TEST(Router, ParametersAreDecodedAfterThePathIsSplit) {
  const auto router = some();
  EXPECT_THAT(ask(router, "GET", "/api/items/a%2Fb%20c").parameters, ElementsAre(Pair("id", "a/b c")));
  EXPECT_THAT(ask(router, "GET", "/files/a/b/c").parameters, ElementsAre(Pair("path", "a/b/c")));
  EXPECT_EQ(ask(router, "GET", "/api/items/").status, 404);  // a parameter is never empty
}

TEST(Router, WhatDoesNotFitIsSaid) {
  const auto router = some();
  EXPECT_EQ(ask(router, "GET", "/api/nothing").status, 404);
  EXPECT_EQ(ask(router, "DELETE", "/api/items/7").status, 405);
  EXPECT_EQ(ask(router, "DELETE", "/api/items/7").allow, "OPTIONS, GET, HEAD, PUT");
  EXPECT_EQ(ask(router, "OPTIONS", "/api/items/7").status, 204);
  for (const auto* path : {"", "api", "/a/../b", "/a/%2e%2E/b", "/a%00", "/a%5Cb", "/%", "/%4", "/%zz"})
    EXPECT_EQ(ask(router, "GET", path).status, 400) << path;
}

TEST(Router, ErrorsHaveTheStatusOfTheirCategory) {
  for (const auto& [category, status] : {std::pair{Category::usage, 400},
                                         {Category::bad_data, 400},
                                         {Category::check, 409},
                                         {Category::resource, 503},
                                         {Category::failure, 500}}) {
    Router router;
    router.get("/", [category = category](const Request&) -> Response {
      throw Error({.category = category, .where = "here", .what = "so", .fix = "Do this."});
    });
    const auto asked = ask(router, "GET", "/");
    EXPECT_EQ(asked.status, status);
    EXPECT_EQ(nlohmann::json::parse(asked.body)["error"],
              nlohmann::json({{"message", "so. Do this."}, {"what", "so"}, {"where", "here"}, {"fix", "Do this."}}));
  }
}

TEST(Router, TheSameRouteTwiceIsAnError) {
  auto router = some();
  EXPECT_EQ(error_of([&] { router.get("/", nullptr); }).category(), Category::usage);
}

TEST(Url, PercentSigns) {
  EXPECT_EQ(percent_decode("a%20b%C3%A9"), "a b\xC3\xA9");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  for (const auto* bad : {"%", "%a", "%g0", "100%"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  EXPECT_EQ(percent_encode("a b/\xC3\xA9~"), "a%20b%2F%C3%A9~");
}

TEST(Url, Forms) {
  EXPECT_THAT(decode_form("a=1&b=x+y&a=2&c&=d&e=%zz&f=1=2"),
              ElementsAre(Pair("a", "1"), Pair("b", "x y"), Pair("c", ""), Pair("f", "1=2")));
  EXPECT_TRUE(decode_form("").empty());
}

TEST(Url, Cookies) {
  EXPECT_THAT(decode_cookies("a=1; b=\"2\";c=3 ;; d; a=4"),
              ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c", "3")));
}

TEST(Request, NumbersOfTheQuery) {
  Request request;
  request.query = {{"limit", "5"}, {"bad", "5x"}, {"big", "99999999999999999999"}};
  EXPECT_EQ(request.query_number("limit", 10, 1, 100), 5);
  EXPECT_EQ(request.query_number("other", 10, 1, 100), 10);
  for (const auto* name : {"bad", "big"})
    EXPECT_EQ(error_of([&] { request.query_number(name, 1, 0, 100); }).category(), Category::usage);
  EXPECT_THROW(request.query_number("limit", 10, 6, 100), Error);
}

TEST(Request, JsonIsCheckedBeforeItIsRead) {
  Request request;
  request.body = "{\"a\": [1, 2]}";
  EXPECT_EQ(error_of([&] { request.json(); }).where(), "Content-Type");
  request.headers.set("content-type", "application/json; charset=utf-8");
  EXPECT_EQ(request.json()["a"][1], 2);
  request.body = std::string(101, '[') + std::string(101, ']');
  EXPECT_NE(error_of([&] { request.json(); }).problem().find("100 deep"), std::string::npos);
  request.body = "\"" + std::string(1000, '[') + "\"";  // in a string they are letters
  EXPECT_EQ(request.json().get<std::string>().size(), 1000u);
}

TEST(Response, AHeaderCannotStartAnother) {
  Response response;
  EXPECT_THROW(response.headers.set("Location", "/a\r\nSet-Cookie: x=y"), Error);
}

TEST(Stream, EveryLineOfAnEventIsData) {
  EXPECT_EQ(event_text("a\nb\r\nc", "n\name", "7"), "event: name\nid: 7\ndata: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(event_text(""), "data: \n\n");
}

}  // namespace
}  // namespace rlhf::serving
