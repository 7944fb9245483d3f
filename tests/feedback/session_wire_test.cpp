#include "rlhf/feedback/session_wire.h"

#include <gtest/gtest.h>

#include "tests/core/scratch_folder.h"

namespace rlhf::feedback {
namespace {

TEST(SessionWire, MessagesComeBackFromAnyCutOfTheStream) {
  const WireMessage frame{.json = {{"type", "frame"}, {"tick", 3}}, .binary = std::string("\0PNG\xff", 5)};
  const WireMessage ack{.json = {{"type", "ack"}, {"id", 9}}};
  const auto stream = encode(frame) + encode(ack);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    WireReader reader;
    std::vector<WireMessage> found;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.add(std::string_view(stream).substr(at, piece));
      while (auto message = reader.next()) found.push_back(*message);
    }
    ASSERT_EQ(found.size(), 2u) << piece;
    EXPECT_EQ(found[0].json, frame.json);
    EXPECT_EQ(found[0].binary, frame.binary);
    EXPECT_EQ(found[1].json, ack.json);
  }
}

TEST(SessionWire, TheLayoutIsTheOneDescribed) {
  EXPECT_EQ(encode({.json = {{"type", "stop"}}, .binary = "ab"}),
            std::string("\x0f\0\0\0\x02\0\0\0", 8) + R"({"type":"stop"})" + "ab");
}

TEST(SessionWire, RefusesWhatIsNoMessage) {
  const auto category = [](std::string_view bytes) {
    WireReader reader;
    reader.add(bytes);
    return error_of([&] { reader.next(); }).category();
  };
  EXPECT_EQ(category("GET / HTTP/1.1\r\n"), Category::bad_data);
  EXPECT_EQ(category(std::string("\x02\0\0\0\0\0\0\0[]", 10)), Category::bad_data);
  EXPECT_EQ(category(std::string("\x02\0\0\0\0\0\0\0{x", 10)), Category::bad_data);
  EXPECT_EQ(category(encode({.json = {{"kind", "stop"}}})), Category::bad_data);
}

TEST(SessionWire, SignalsComeBackAndBadOnesAreRefused) {
  const Signal signal{.id = 12, .annotator = "ann", .value = 4, .pressed = 1234.5678901234567, .delay = 0.031};
  const auto back = signal_from_json(nlohmann::json::parse(to_json(signal).dump()));
  EXPECT_EQ(back.id, 12);
  EXPECT_EQ(back.annotator, "ann");
  EXPECT_EQ(back.value, 4);
  EXPECT_EQ(back.pressed, signal.pressed);
  EXPECT_EQ(back.delay, signal.delay);
  auto bad = to_json(signal);
  bad["delay"] = -1;
  EXPECT_EQ(error_of([&] { signal_from_json(bad); }).category(), Category::bad_data);
  bad = to_json(signal);
  bad.erase("pressed");
  EXPECT_EQ(error_of([&] { signal_from_json(bad); }).category(), Category::bad_data);
}

}  // namespace
}  // namespace rlhf::feedback
