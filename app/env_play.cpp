#include "app/env_play.h"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "app/flags.h"
#include "app/pages.h"
#include "app/signals.h"
#include "app/world.h"
#include "rlhf/core/error.h"
#include "rlhf/serving/page_session.h"
#include "rlhf/serving/play.h"
#include "rlhf/serving/server.h"

namespace rlhf::app {
namespace {

struct PlaySettings {
  World world;
  environments::GameConfig game;
  std::filesystem::path out;
  std::int64_t port = 7861, width = 600, height = 400;

  void fields(Fields& f) {
    world.fields(f);
    game.fields(f);
    f.field("out", out, "file that finished episodes are added to, one a line of JSON; none: nothing is kept");
    f.field("port", port, "port to listen on, of this machine alone; 0 = any free one");
    f.field("width", width, "of the picture, pixels");
    f.field("height", height, "of the picture, pixels");
  }

  void validate() const {
    game.validate();
    const auto require = [](bool holds, const char* where, const char* what) {
      if (!holds) throw Error({.category = Category::usage, .where = where, .what = what, .fix = ""});
    };
    require(port >= 0 && port <= 65535, "port", "0 to 65535 was expected");
    require(width >= 16 && width <= 4096, "width", "16 to 4096 pixels were expected");
    require(height >= 16 && height <= 4096, "height", "16 to 4096 pixels were expected");
  }
};

serving::PlayOptions options_of(const PlaySettings& settings) {
  return {.game = settings.game,
          .out = settings.out,
          .width = static_cast<int>(settings.width),
          .height = static_cast<int>(settings.height)};
}

std::string in_words(const serving::PlayTally& kept, const std::filesystem::path& out) {
  if (kept.episodes == 0) return "no episode was kept";
  return fmt::format("{} episode{}, {} steps, mean return {:.2f}: {}", kept.episodes, kept.episodes == 1 ? "" : "s",
                     kept.steps, kept.total_return / static_cast<double>(kept.episodes), out.string());
}

}  // namespace

int play(const Invocation& call) {
  PlaySettings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf env play NAME [--out shown.jsonl] [--rate 15] [--turns]",
                      .description = "A person plays an environment by keyboard, in the browser. With --out, what was "
                                     "shown is there to learn\n"
                                     "from: rlhf train bc --demonstrations shown.jsonl",
                      .positional = {"environment"}},
                     settings))
    return 0;
  serving::Play game(settings.world.make(), options_of(settings));
  serving::Router router;
  serving::add_page_session(router, nullptr, settings.world.environment, /*model=*/false, /*play=*/true);
  game.add_routes(router);
  add_pages(router);
  serving::ServerOptions server_options{.port = static_cast<std::uint16_t>(settings.port)};
  server_options.log = [](std::string_view line) { std::cerr << line << '\n'; };
  serving::Server server(std::move(server_options), std::move(router));
  server.start();
  std::cout << (call.json ? nlohmann::json{{"url", server.url()}}.dump()
                          : fmt::format("play {} at {}", settings.world.environment, server.url()))
            << std::endl;
  while (!stop_requested() && !game.fault()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  server.stop(std::chrono::seconds(3));
  if (const auto fault = game.fault()) throw *fault;
  const auto kept = game.kept();
  if (call.json)
    std::cout << nlohmann::json{{"episodes", kept.episodes},
                                {"steps", kept.steps},
                                {"return", kept.total_return}}
                     .dump()
              << "\n";
  else if (!settings.out.empty())
    std::cout << in_words(kept, settings.out) << "\n";
  return 0;
}

}  // namespace rlhf::app
