// WebSockets (RFC 6455) with frames written by hand.
#include <atomic>
#include <thread>

#include "tests/serving/running.h"

namespace rlhf::serving {
namespace {

using namespace std::chrono_literals;

std::string upgrade(std::string_view path, std::string_view more = {}) {
  return request("GET " + std::string(path),
                 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                     std::string(more));
}

/// A masked text frame of fewer than 126 bytes; the mask is zero, so the bytes stay readable.
std::string frame(std::string_view text, int opcode = 1) {
  return std::string{static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | text.size()), 0, 0, 0, 0} +
         std::string(text);
}

struct Seen {
  std::atomic<int> messages = 0, closed = 0;
};

Router echo(Seen& seen) {
  Router router;
  router.websocket("/echo", [&seen](const Request&, std::shared_ptr<Socket> socket) {
    socket->send("welcome");
    return SocketEvents{.message =
                            [&seen, socket](std::string_view message, bool) {
                              ++seen.messages;
                              if (message == "fail") throw std::runtime_error("as asked");
                              if (message == "bye") return socket->close(1000, "bye");
                              socket->send(message);
                            },
                        .closed = [&seen] { ++seen.closed; }};
  });
  router.websocket("/closed", [](const Request&, std::shared_ptr<Socket>) -> SocketEvents {
    throw Error({.category = Category::check, .where = "session", .what = "it is over", .fix = "Start another."});
  });
  return router;
}

TEST(WebSocket, EchoesInOrderAndClosesCleanly) {
  Seen seen;
  {
    Running running(echo(seen));
    auto client = running.client();
    const auto reply = client.ask(upgrade("/echo"));
    ASSERT_EQ(reply.status, 101);
    EXPECT_EQ(reply.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 §1.3
    client.send(frame("one") + frame("two") + frame("three"));
    EXPECT_EQ(client.read_until("three"), "\x81\x07welcome\x81\x03one\x81\x03two\x81\x05three");
    client.send(frame("bye"));
    EXPECT_NE(client
                  .read_until("\x03\xe8"
                              "bye")
                  .find("\x88\x05\x03\xe8"
                        "bye"),
              std::string::npos);
    client.send(frame("\x03\xe8", 8));
    EXPECT_TRUE(client.closed_within(3s));
  }
  EXPECT_EQ(seen.messages, 4);
  EXPECT_EQ(seen.closed, 1);
}

TEST(WebSocket, ARefusalIsAPlainAnswer) {
  Seen seen;
  Running running(echo(seen));
  EXPECT_EQ(running.ask(upgrade("/closed")).status, 409);
  EXPECT_EQ(running.ask(upgrade("/nothing")).status, 404);
  EXPECT_EQ(running.ask(upgrade("/echo", "Origin: http://evil.example\r\n")).status, 403);
  EXPECT_EQ(running.ask(request("GET /echo")).status, 404);  // no plain GET there
}

TEST(WebSocket, AFailingHandlerEndsItAndIsToldOnce) {
  Seen seen;
  {
    Running running(echo(seen));
    auto client = running.client();
    client.ask(upgrade("/echo"));
    client.send(frame("fail"));
    EXPECT_NE(client.read_until("\x03\xf3").find("\x03\xf3"), std::string::npos);  // 1011
    client.hang_up();
  }
  EXPECT_EQ(seen.closed, 1);
}

TEST(WebSocket, BadFramesAndLongMessagesAreRefused) {
  Seen seen;
  Running running(echo(seen));
  auto unmasked = running.client();
  unmasked.ask(upgrade("/echo"));
  unmasked.send("\x81\x02hi");
  EXPECT_TRUE(unmasked.closed_within(5s));
  auto huge = running.client();
  huge.ask(upgrade("/echo"));
  huge.send(std::string("\x81\xff\x00\x00\x00\x00\x7f\x00\x00\x00\x00\x00\x00\x00", 14));  // announces 2 GB
  EXPECT_TRUE(huge.closed_within(5s));
  EXPECT_EQ(seen.messages, 0);
}

TEST(WebSocket, StopSaysGoodbye) {
  Seen seen;
  Running running(echo(seen));
  auto client = running.client();
  client.ask(upgrade("/echo"));
  std::thread stopper([&] { running.server.stop(1s); });
  EXPECT_NE(client.read_until("\x03\xe9").find("\x88"), std::string::npos);  // 1001
  client.send(frame("\x03\xe9", 8));
  stopper.join();
  EXPECT_EQ(seen.closed, 1);
}

}  // namespace
}  // namespace rlhf::serving
