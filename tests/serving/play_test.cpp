// A game over a WebSocket: what the page is told, and what is in the file at any moment.
#include <nlohmann/json.hpp>
#include <thread>

#include "rlhf/core/files.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/environments/table.h"
#include "rlhf/serving/play.h"
#include "tests/core/scratch_folder.h"
#include "tests/serving/running.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;

std::unique_ptr<environments::Environment> made(const std::string& name, const json& settings = nullptr) {
  return environments::make_environment(environments::builtin_environments(), name, settings);
}

/// A page that plays.
class Page {
 public:
  explicit Page(Running& running) : client_(running.client()) {
    const auto reply = client_.ask(request("GET /api/play",
                                           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    EXPECT_EQ(reply.status, 101);
  }

  void say(const json& message) { client_.send(frame(message)); }
  void tap(const std::string& key) { client_.send(tapped(key)); }
  /// All that arrives together, as after a pause of the network.
  void tap_and_say(const std::string& key, const json& message) { client_.send(tapped(key) + frame(message)); }
  bool hears(const std::string& text) { return client_.read_until(text).find(text) != std::string::npos; }
  std::string heard() { return client_.read_until("\1never\1", std::chrono::milliseconds(0)); }
  void leave() { client_.hang_up(); }

 private:
  /// A masked text frame of fewer than 126 bytes; the mask is zero.
  static std::string frame(const json& message) {
    const auto text = message.dump();
    EXPECT_LT(text.size(), 126);
    return std::string{'\x81', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0} + text;
  }
  static std::string tapped(const std::string& key) {
    return frame({{"type", "key"}, {"key", key}, {"down", true}}) +
           frame({{"type", "key"}, {"key", key}, {"down", false}});
  }

  Client client_;
};

Router router_of(Play& play) {
  Router router;
  play.add_routes(router);
  return router;
}

/// Along the cliff to its end: 13 steps.
void walk(Page& page) {
  page.tap("ArrowUp");
  for (int i = 0; i < 11; ++i) page.tap("d");
  page.tap("s");
}

std::string kept(int episodes, int steps) { return json{{"episodes", episodes}, {"steps", steps}}.dump(); }

PlayOptions keeping(const std::filesystem::path& out) {
  return {.game = {.hold_seconds = 0.05}, .out = out, .width = 60, .height = 40};
}

TEST(Play, TellsThePageAllItNeeds) {
  Play play(made("mountain_car"), {.game = {.rate = 12}, .width = 60, .height = 40});
  Running running(router_of(play));
  Page page(running);
  ASSERT_TRUE(page.hears("\x89PNG"));
  const auto said = page.heard();
  for (const char* part :
       {R"("environment":"mountain_car")", R"("title":"mountain_car")", R"("turns":false)", R"("rate":12.0)",
        R"("idle":"do nothing")", R"({"chords":[["ArrowLeft"],["a"],["0"]],"label":"push left"})", R"("out":null)",
        R"("phase":"ready")", R"("last":null)"})
    EXPECT_NE(said.find(part), std::string::npos) << part;
}

TEST(Play, AnEpisodeIsInTheFileBeforeThePageHearsOfIt) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  Play play(made("cliff_walking"), keeping(file));
  Running running(router_of(play));
  Page page(running);
  walk(page);
  ASSERT_TRUE(page.hears(kept(1, 13)));
  const auto episodes = data::read_trajectories(file);
  ASSERT_EQ(episodes.size(), 1);
  EXPECT_TRUE(episodes[0].terminated);
  EXPECT_EQ(episodes[0].actions.size(), 13);
  EXPECT_EQ(episodes[0].spec, environments::hash_of(made("cliff_walking")->spec()));
  EXPECT_EQ(play.kept().episodes, 1);
  EXPECT_EQ(play.kept().total_return, -13);
}

TEST(Play, TheLastEpisodeCanBeThrownAwayAndKeptAfterAll) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  Play play(made("cliff_walking"), keeping(file));
  Running running(router_of(play));
  Page page(running);
  walk(page);
  ASSERT_TRUE(page.hears(kept(1, 13)));
  page.say({{"type", "throw_away"}});
  ASSERT_TRUE(page.hears("\"kept\":false"));
  EXPECT_EQ(read_file(file), "");
  page.say({{"type", "keep"}});
  page.say({{"type", "keep"}});  // once is enough
  ASSERT_TRUE(page.hears(R"("action":null,"episode":2)"));
  page.tap_and_say("ArrowUp", {{"type", "reset"}});
  ASSERT_TRUE(page.hears(R"("end":"cut","episode":2,"kept":false,"return":-1.0,"steps":1)"));
  EXPECT_EQ(data::read_trajectories(file).size(), 1);  // one that was cut short is kept only when somebody asks
  page.say({{"type", "keep"}});
  ASSERT_TRUE(page.hears(kept(2, 14)));
  const auto episodes = data::read_trajectories(file);
  ASSERT_EQ(episodes.size(), 2);
  EXPECT_EQ(episodes[1].actions.size(), 1);
  EXPECT_FALSE(episodes[1].terminated || episodes[1].truncated);
}

TEST(Play, AddsToAFileOfTheSameEnvironmentOnly) {
  const ScratchFolder scratch;
  const auto file = scratch / "shown.jsonl";
  for (int i = 0; i < 2; ++i) {
    Play play(made("cliff_walking"), keeping(file));
    Running running(router_of(play));
    Page page(running);
    walk(page);
    ASSERT_TRUE(page.hears(kept(1, 13)));
  }
  EXPECT_EQ(data::read_trajectories(file).size(), 2);
  const auto before = read_file(file);
  const auto error = error_of([&] { Play(made("frozen_lake"), keeping(file)); });
  EXPECT_EQ(error.category(), Category::check);
  EXPECT_EQ(read_file(file), before);
}

TEST(Play, StandsStillWhileNobodyIsThere) {
  Play play(made("mountain_car"), {.game = {.rate = 20}});
  Running running(router_of(play));
  {
    Page page(running);
    page.say({{"type", "key"}, {"key", "d"}, {"down", true}});
    ASSERT_TRUE(page.hears("\"phase\":\"running\""));
    page.leave();
  }
  Page page(running);
  ASSERT_TRUE(page.hears("\"phase\":\"paused\""));
  page.say({{"type", "pause"}, {"on", false}});
  ASSERT_TRUE(page.hears("\"action\":\"do nothing\""));  // whoever left has let go of the key
}

TEST(Play, WhoComesLastPlays) {
  Play play(made("cliff_walking"), {});
  Running running(router_of(play));
  Page first(running);
  ASSERT_TRUE(first.hears("hello"));
  Page second(running);
  ASSERT_TRUE(second.hears("hello"));
  EXPECT_TRUE(first.hears("\"taken\""));
  EXPECT_TRUE(first.hears("another page plays now"));  // why it is hung up on
  second.tap("ArrowUp");
  EXPECT_TRUE(second.hears("\"step\":1"));
}

TEST(Play, RefusesWhatItDoesNotUnderstand) {
  Play play(made("cliff_walking"), {});
  Running running(router_of(play));
  const std::vector<json> wrong = {
      {{"type", "jump"}}, {{"type", "key"}, {"key", 3}, {"down", true}}, {{"type", "pause"}}, 5};
  for (const auto& message : wrong) {
    Page page(running);
    ASSERT_TRUE(page.hears("hello"));
    page.say(message);
    EXPECT_TRUE(page.hears("\x03\xf0")) << message;  // 1008
  }
}

/// Without a picture, or failing at its first step.
class Broken : public environments::Environment {
 public:
  explicit Broken(bool picture) {
    spec_.name = "broken";
    spec_.observation = environments::Box{.shape = {1}};
    spec_.action = environments::Discrete{{"left", "right"}};
    spec_.can.render = picture;
  }
  const environments::Spec& spec() const override { return spec_; }
  environments::Start reset(std::uint64_t, const json&) override { return {.observation = std::vector<float>{0}}; }
  environments::Step step(const environments::Action&) override {
    throw Error({.category = Category::failure, .where = "robot", .what = "its battery is empty", .fix = "Charge it."});
  }
  environments::Image render(int width, int height) const override {
    return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
  }

 private:
  environments::Spec spec_;
};

TEST(Play, SendsTextWhereThereIsNoPicture) {
  Play play(made("sentence", {{"prompts", {"the soup was"}}}), {});
  Running running(router_of(play));
  Page page(running);
  ASSERT_TRUE(page.hears(R"("text":"the soup was\n")"));
  page.tap("4");
  ASSERT_TRUE(page.hears(R"("text":"the soup was warm\n")"));
  EXPECT_NE(page.heard().find(R"("picture":false)"), std::string::npos);
  EXPECT_EQ(page.heard().find("\x89PNG"), std::string::npos);
}

TEST(Play, SaysWhatIsWrongWithAnEnvironment) {
  const auto error = error_of([&] { Play(std::make_unique<Broken>(false), {}); });
  EXPECT_EQ(error.category(), Category::usage);
  EXPECT_NE(error.problem().find("neither picture nor text"), std::string::npos);

  Play play(std::make_unique<Broken>(true), {});
  Running running(router_of(play));
  Page page(running);
  EXPECT_FALSE(play.fault());
  page.tap("a");
  ASSERT_TRUE(page.hears("its battery is empty"));
  for (int i = 0; i < 100 && !play.fault(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(play.fault()->where(), "robot");
}

}  // namespace
}  // namespace rlhf::serving
