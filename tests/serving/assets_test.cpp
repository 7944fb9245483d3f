// The folder page/, compiled into this test.
#include "rlhf/serving/assets.h"

#include <zlib.h>

#include "rlhf/core/files.h"
#include "tests/serving/running.h"

const std::vector<rlhf::serving::Asset>& test_page();

namespace rlhf::serving {
namespace {

const auto folder = std::filesystem::path(RLHF_SOURCE_DIR) / "tests/serving/page";

class Assets : public testing::Test {
 protected:
  Router router() {
    Router made;
    made.get("/api/items", [](const Request&) { return Response::text("items"); });
    add_assets(made, test_page());
    return made;
  }
  Running running{router()};
};

std::string unzipped(const std::string& bytes) {
  std::string text(1 << 16, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST_F(Assets, AFileIsServedAsItIs) {
  const auto reply = running.ask(request("GET /assets/page-0a1b.js"));
  EXPECT_EQ(reply.body, read_file(folder / "assets/page-0a1b.js"));
  EXPECT_EQ(reply.header("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(reply.header("Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(Assets, AndCompressedForThoseWhoTakeIt) {
  const auto plain = read_file(folder / "assets/page-0a1b.js");
  const auto reply = running.ask(request("GET /assets/page-0a1b.js", "Accept-Encoding: deflate, gzip\r\n"));
  EXPECT_EQ(reply.header("Content-Encoding"), "gzip");
  EXPECT_LT(reply.body.size(), plain.size() / 2);
  EXPECT_EQ(unzipped(reply.body), plain);
  const auto refused = running.ask(request("GET /assets/page-0a1b.js", "Accept-Encoding: gzip;q=0\r\n"));
  EXPECT_EQ(refused.header("Content-Encoding"), "");
}

TEST_F(Assets, EveryPageIsTheProgram) {
  const auto index = read_file(folder / "index.html");
  for (const auto* path : {"/", "/runs/7", "/label", "/index.html", "/apis"}) {
    const auto reply = running.ask(request("GET " + std::string(path)));
    EXPECT_EQ(reply.body, index) << path;
    EXPECT_EQ(reply.header("Cache-Control"), "no-cache") << path;
  }
  for (const auto* path : {"/api/nothing", "/v1/nothing", "/assets/gone.js", "/favicon.ico", "/media/x"})
    EXPECT_EQ(running.ask(request("GET " + std::string(path))).status, 404) << path;
  EXPECT_EQ(running.ask(request("POST /")).status, 404);
  EXPECT_EQ(running.ask(request("GET /api/items")).body, "items");
}

TEST_F(Assets, WhatABrowserHasIsNotSentAgain) {
  const auto etag = running.ask(request("GET /")).header("ETag");
  EXPECT_EQ(running.ask(request("GET /", "If-None-Match: " + etag + "\r\n")).status, 304);
  EXPECT_EQ(running.ask(request("GET /", "If-None-Match: \"other\", " + etag + "\r\n")).status, 304);
  EXPECT_EQ(running.ask(request("GET /", "If-None-Match: \"other\"\r\n")).status, 200);
}

}  // namespace
}  // namespace rlhf::serving
