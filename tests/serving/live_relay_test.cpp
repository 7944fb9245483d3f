// A browser far away, whose way up and way down take different times, teaches through the relay.
#include <sys/un.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "rlhf/core/clock.h"
#include "rlhf/feedback/session_wire.h"
#include "rlhf/feedback/store.h"
#include "rlhf/serving/live_relay.h"
#include "tests/core/scratch_folder.h"
#include "tests/serving/running.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;

constexpr double up = 0.03, down = 0.2;  // s
constexpr double browser = 5000;         // what the browser's clock shows more than ours

void wait(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

/// The process that runs an agent, as far as the relay sees it.
class Agent {
 public:
  explicit Agent(const std::filesystem::path& path) : listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX};
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
  }
  ~Agent() {
    ::close(link_);
    ::close(listener_);
  }
  void accept() { link_ = ::accept(listener_, nullptr, nullptr); }
  void show(std::int64_t tick, double time) {
    const auto bytes =
        feedback::encode({.json = {{"type", "frame"}, {"tick", tick}, {"time", time}}, .binary = "picture"});
    EXPECT_EQ(::send(link_, bytes.data(), bytes.size(), 0), std::ssize(bytes));
  }
  feedback::Signal hear() {
    while (true) {
      if (const auto message = reader_.next()) return feedback::signal_from_json(message->json);
      char bytes[4096];
      const auto got = ::recv(link_, bytes, sizeof bytes, 0);
      if (got <= 0) throw std::runtime_error("the relay has gone");
      reader_.add({bytes, static_cast<std::size_t>(got)});
    }
  }

 private:
  int listener_, link_ = -1;
  feedback::WireReader reader_;
};

/// What it sends arrives `up` later, and it sees things `down` after they were sent.
class FarBrowser {
 public:
  explicit FarBrowser(Running& running) : client_(running.client()) {
    const auto reply = client_.ask(request("GET /api/live/far",
                                           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    EXPECT_EQ(reply.status, 101);
  }
  double now() const { return steady_seconds() + browser; }
  void say(const json& message) {
    wait(up);
    const auto text = message.dump();
    const bool longer = text.size() > 125;
    std::string frame{'\x81', static_cast<char>(0x80 | (longer ? 126 : text.size()))};
    if (longer) frame += {static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)};
    client_.send(frame + std::string(4, '\0') + text);  // the mask is zero
  }
  void see(const std::string& text) {
    EXPECT_NE(client_.read_until(text).find(text), std::string::npos);
    wait(down);
  }
  /// Half of the way there and back.
  double ping() {
    const double at = now();
    say({{"type", "ping"}, {"at", at}});
    see("pong");
    return (now() - at) / 2;
  }

 private:
  Client client_;
};

TEST(LiveRelay, APressIsAboutThePictureOnTheScreenHoweverLongTheWays) {
  ScratchFolder folder;
  auto store = feedback::Store::open(folder / "feedback.db");
  Agent agent(folder / "far.sock");
  Router router;
  add_live_relay(router, store, folder.path());
  Running running(std::move(router));
  FarBrowser page(running);
  agent.accept();
  const double delay = page.ping();
  EXPECT_NEAR(delay, (up + down) / 2, 0.05);

  // As the page does it: the picture's time, and how long it had been there.
  const double sent = steady_seconds();
  agent.show(7, sent);
  page.see("picture");
  const double came = page.now();
  wait(0.03);
  const double at = page.now();
  json press{{"type", "signal"},        {"number", 1}, {"tick", 7}, {"value", 1}, {"at", at}, {"delay", delay},
             {"seen", sent + at - came}};
  page.say(press);
  auto heard = agent.hear();
  EXPECT_NEAR(heard.pressed - heard.delay, sent + at - came, 1e-6);
  EXPECT_EQ(heard.delay, delay);

  // As a program may that knows nothing of the session's clock: the press less the way down.
  press.erase("seen");
  press["number"] = 2;
  press["at"] = page.now();
  const double pressed = steady_seconds();
  page.say(press);
  heard = agent.hear();
  EXPECT_NEAR(heard.pressed - heard.delay, pressed - down, 0.05) << "not " << pressed - (down - up) / 2;

  // Nobody has seen what is still to come.
  press["number"] = 3;
  press["seen"] = steady_seconds() + 100;
  page.say(press);
  heard = agent.hear();
  EXPECT_LE(heard.pressed, steady_seconds());
}

}  // namespace
}  // namespace rlhf::serving
