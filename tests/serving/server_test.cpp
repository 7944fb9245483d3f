// A real server on a real port, asked over real sockets.
#include "rlhf/serving/server.h"

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/serving/running.h"

namespace rlhf::serving {
namespace {

using namespace std::chrono_literals;

Router echo() {
  Router router;
  router.get("/hello/{name}", [](const Request& asked) { return Response::text("hello " + asked.parameter("name")); });
  router.post("/echo", [](const Request& asked) { return Response::bytes(asked.body, "text/plain"); });
  router.post("/json", [](const Request& asked) { return Response::json(asked.json()); });
  return router;
}

TEST(Server, AnswersAndKeepsTheConnection) {
  Running running(echo());
  auto client = running.client();
  for (const auto* name : {"Ada", "Grace"}) {
    const auto reply = client.ask(request("GET /hello/" + std::string(name)));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello " + std::string(name));
    EXPECT_FALSE(reply.header("Date").empty());
  }
  const auto body = client.ask(request("POST /echo", "Content-Type: text/plain\r\n", "some bytes"));
  EXPECT_EQ(body.body, "some bytes");
}

TEST(Server, HeadHasTheLengthAndNoBody) {
  Running running(echo());
  auto client = running.client();
  ASSERT_TRUE(client.send(request("HEAD /hello/Ada") + request("GET /hello/Ada")));
  const auto head = client.read(true);
  EXPECT_EQ(head.header("Content-Length"), "9");
  EXPECT_EQ(client.read().body, "hello Ada");  // right after it: there was no body in between
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  Running running(echo());
  auto client = running.client();
  std::string all;
  for (int i = 0; i < 50; ++i) all += request("GET /hello/" + std::to_string(i));
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.read().body, "hello " + std::to_string(i));
}

TEST(Server, AnErrorOfAHandlerIsJsonWithItsStatus) {
  Running running(echo());
  auto client = running.client();
  const auto reply = client.ask(request("POST /json", "Content-Type: application/json\r\n", "{\"a\": "));
  EXPECT_EQ(reply.status, 400);
  const auto error = nlohmann::json::parse(reply.body)["error"];
  EXPECT_EQ(error["what"], "it is not JSON");
  EXPECT_FALSE(error["fix"].get<std::string>().empty());
}

TEST(Server, AStreamEndsWhenItsWriterIsDone) {
  Router router;
  router.get("/events", [](const Request&) {
    return Response::events([](std::shared_ptr<Stream> stream) {
      for (int i = 0; i < 3; ++i) stream->event("line " + std::to_string(i) + "\nand more", "tick");
    });
  });
  Running running(std::move(router));
  auto client = running.client();
  ASSERT_TRUE(client.send(request("GET /events")));
  const auto text = client.read_until("\r\n0\r\n\r\n");
  EXPECT_NE(text.find("Transfer-Encoding: chunked"), text.npos);
  EXPECT_NE(text.find("event: tick\ndata: line 2\ndata: and more\n\n"), text.npos) << text;
}

TEST(Server, AStreamHearsThatItsClientHasGone) {
  std::promise<double> noticed;
  Router router;
  router.get("/events", [&](const Request&) {
    return Response::events([&](std::shared_ptr<Stream> stream) {
      stream->event("first");
      const auto begin = std::chrono::steady_clock::now();
      while (stream->connected()) std::this_thread::sleep_for(5ms);
      noticed.set_value(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    });
  });
  Running running(std::move(router));
  {
    auto client = running.client();
    client.send(request("GET /events"));
    client.read_until("first");
  }
  auto seconds = noticed.get_future();
  ASSERT_EQ(seconds.wait_for(10s), std::future_status::ready);
  EXPECT_LT(seconds.get(), 5.0);
}

TEST(Server, AWriterWaitsForASlowReader) {
  std::atomic<std::size_t> written = 0;
  Router router;
  router.get("/much", [&](const Request&) {
    Response response;
    response.stream = [&](std::shared_ptr<Stream> stream) {
      const std::string piece(1 << 16, 'x');
      for (int i = 0; i < 1000 && stream->write(piece); ++i) written += piece.size();
    };
    return response;
  });
  Running running(std::move(router));
  auto client = running.client();
  client.send(request("GET /much"));
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(written.load(), 32u << 20);  // what the system's buffers and ours take, not all 64 MB
}

TEST(Server, StopLetsARequestInFlightFinish) {
  std::promise<void> started;
  Router router;
  router.get("/slow", [&](const Request&) {
    started.set_value();
    std::this_thread::sleep_for(300ms);
    return Response::text("done");
  });
  Running running(std::move(router));
  auto idle = running.client();
  auto client = running.client();
  client.send(request("GET /slow"));
  started.get_future().wait();
  const auto port = running.server.port();
  std::thread stopper([&] { running.server.stop(5s); });
  EXPECT_EQ(client.read().body, "done");
  EXPECT_TRUE(idle.closed_within(2s));
  stopper.join();
  EXPECT_FALSE(Client(port).connected());
}

TEST(Server, StopCutsWhatDoesNotEnd) {
  Router router;
  router.get("/forever", [](const Request&) {
    return Response::events([](std::shared_ptr<Stream> stream) {
      while (stream->event("tick")) std::this_thread::sleep_for(10ms);
    });
  });
  Running running(std::move(router));
  auto client = running.client();
  client.send(request("GET /forever"));
  client.read_until("tick");
  const auto begin = std::chrono::steady_clock::now();
  running.server.stop(300ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_TRUE(client.closed_within(2s));
}

TEST(Server, AStreamThatFailsDoesNotLookWhole) {
  Router router;
  router.get("/broken", [](const Request&) {
    return Response::events([](std::shared_ptr<Stream> stream) {
      stream->event("half");
      throw std::runtime_error("no more");
    });
  });
  Running running(std::move(router));
  auto client = running.client();
  client.send(request("GET /broken"));
  EXPECT_TRUE(client.closed_within(3s));
  EXPECT_EQ(client.read_until("\r\n0\r\n\r\n", 10ms).find("\r\n0\r\n\r\n"), std::string::npos);
}

TEST(Server, WhatItsHandlersThrowStaysInItsLog) {
  std::string log;
  std::mutex mutex;
  auto options = quick();
  options.log = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    log += line;
  };
  Router router;
  router.get("/fails", [](const Request&) -> Response { throw std::logic_error("/home/secret/path"); });
  Running running(std::move(router), options);
  const auto reply = running.ask(request("GET /fails"));
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  const std::lock_guard lock(mutex);
  EXPECT_NE(log.find("secret"), std::string::npos);
}

TEST(Server, ManyConnectionsAtOnce) {
  Running running(echo());
  std::vector<Client> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(running.client());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(clients[i].send(request("GET /hello/" + std::to_string(i))));
    for (int i = 0; i < 200; ++i) ASSERT_EQ(clients[i].read().body, "hello " + std::to_string(i));
  }
}

TEST(Server, ContinuesAnUploadThatAsksFirst) {
  Running running(echo());
  auto client = running.client();
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send("body");
  EXPECT_EQ(client.read().body, "body");
}

TEST(Server, ReadsAChunkedBody) {
  Running running(echo());
  const auto reply =
      running.ask(request("POST /echo", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(reply.body, "abcde");
}

TEST(Server, TellsItsHealthAndItsNumbers) {
  Running running(echo());
  EXPECT_EQ(running.ask(request("GET /health")).body, "{\"status\":\"ok\"}");
  running.ask(request("GET /nothing"));
  const auto text = running.ask(request("GET /metrics")).body;
  EXPECT_NE(text.find("rlhf_http_responses_total{status=\"404\"} 1\n"), text.npos) << text;
  EXPECT_NE(text.find("rlhf_http_request_seconds_count{route=\"/health\"} 1\n"), text.npos) << text;
}

TEST(Server, APortThatIsTakenIsSaid) {
  Running running(echo());
  auto options = quick();
  options.port = running.server.port();
  Server second(options, echo());
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::resource);
  }
}

}  // namespace
}  // namespace rlhf::serving
