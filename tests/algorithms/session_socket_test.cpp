#include "rlhf/algorithms/session_socket.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "rlhf/algorithms/tamer.h"
#include "rlhf/core/clock.h"
#include "rlhf/environments/cart_pole.h"
#include "rlhf/feedback/session_link.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::algorithms {
namespace {

using namespace std::chrono_literals;
using feedback::SessionLink;

constexpr SessionConfig quick{.rate = 50, .seconds = 20, .hold_seconds = 0.1};

std::unique_ptr<SessionSocket> open_socket(const std::filesystem::path& path) {
  return std::make_unique<SessionSocket>(SessionSocketConfig{.path = path, .width = 120, .height = 80},
                                         std::make_unique<environments::CartPole>(), quick);
}

/// Reads until a message of this type that `wanted` accepts.
template <class Wanted>
feedback::WireMessage await(SessionLink& link, const std::string& type, Wanted&& wanted) {
  for (const double until = steady_seconds() + 10; steady_seconds() < until;) {
    const auto message = link.receive(1s);
    if (message && message->json["type"] == type && wanted(message->json)) return *message;
  }
  ADD_FAILURE() << "no such " << type;
  return {.json = {{"type", type}}};
}
feedback::WireMessage await(SessionLink& link, const std::string& type) {
  return await(link, type, [](const auto&) { return true; });
}

class SessionSocketTest : public testing::Test {
 protected:
  /// A session in its own thread, in real time.
  std::future<SessionResult> start() {
    socket_ = open_socket(path_);
    return std::async(std::launch::async, [this] {
      environments::CartPole environment;
      RealClock clock;
      auto result = run_session(environment, tamer_, *socket_, clock, quick, folder_ / "log.jsonl");
      socket_.reset();
      return result;
    });
  }

  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "session.sock";
  Tamer tamer_{2, {1 / 2.4, 1 / 2.0, 1 / 0.2, 1 / 2.0}, {}};
  std::unique_ptr<SessionSocket> socket_;
};

TEST_F(SessionSocketTest, ShowsTakesSignalsPausesAndStops) {
  auto session = start();
  auto link = SessionLink::connect(path_, 5s);
  const auto hello = await(link, "hello").json;
  EXPECT_EQ(hello["environment"], "cart_pole");
  EXPECT_EQ(hello["actions"], (nlohmann::json{"push left", "push right"}));

  const auto frame = await(link, "frame", [](const auto& json) { return json["tick"] > 20; });
  const auto picture = environments::decode_png(frame.binary);
  EXPECT_EQ(picture.width, 120);
  EXPECT_EQ(picture.height, 80);
  EXPECT_NEAR(frame.json["time"].get<double>(), steady_seconds(), 1.0);

  const feedback::Signal press{.id = 1, .annotator = "ann", .value = 1, .pressed = steady_seconds()};
  link.send(press);
  const auto of_first = [](const auto& json) { return json["id"] == 1; };
  EXPECT_EQ(await(link, "ack", of_first).json["status"], "used");
  link.send(press);
  EXPECT_EQ(await(link, "ack", of_first).json["status"], "duplicate");
  await(link, "frame", [](const auto& json) { return json["signals"] == 1 && json["policy_version"] > 0; });

  link.send({{"type", "pause"}});
  await(link, "frame", [](const auto& json) { return json["paused"] == true; });
  link.send(feedback::Signal{.id = 2, .annotator = "ann", .value = 1, .pressed = steady_seconds()});
  EXPECT_EQ(await(link, "ack").json["status"], "paused");
  link.send({{"type", "resume"}});
  link.send({{"type", "speed"}, {"value", 0.5}});
  await(link, "frame", [](const auto& json) { return json["paused"] == false && json["speed"] == 0.5; });

  link.send({{"type", "stop"}});
  await(link, "end");
  const auto result = session.get();
  EXPECT_EQ(result.signals, 1);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "the socket goes with the session";

  environments::CartPole environment;
  Tamer again(2, {1 / 2.4, 1 / 2.0, 1 / 0.2, 1 / 2.0}, {});
  replay_session(environment, again, folder_ / "log.jsonl");
  EXPECT_EQ(again.state(), tamer_.state()) << "a session in real time replays to the bit, too";
}

TEST_F(SessionSocketTest, OutlivesServersThatLeaveOrTalkNonsense) {
  auto session = start();
  {
    auto gone = SessionLink::connect(path_, 5s);
  }
  auto confused = SessionLink::connect(path_, 5s);
  confused.send(nlohmann::json{{"type", "signal"}, {"id", 3}});  // without its other keys
  EXPECT_THROW(for (;;) confused.receive(5s), Error) << "the session hangs up";
  auto link = SessionLink::connect(path_, 5s);
  await(link, "hello");
  await(link, "frame");
  link.send({{"type", "stop"}});
  EXPECT_GT(session.get().ticks, 0);
}

TEST_F(SessionSocketTest, OneSessionASocket) {
  const auto first = open_socket(path_);
  EXPECT_EQ(error_of([&] { open_socket(path_); }).problem(), "another session listens there");
  EXPECT_EQ(error_of([&] { open_socket(std::string(200, 'x')); }).category(), Category::usage);
  EXPECT_EQ(error_of([&] { SessionLink::connect(folder_ / "nobody.sock", 50ms); }).category(), Category::resource);
}

}  // namespace
}  // namespace rlhf::algorithms
