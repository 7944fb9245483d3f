#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "app/commands.h"
#include "app/flags.h"
#include "app/pages.h"
#include "app/signals.h"
#include "rlhf/models/model_files.h"
#include "rlhf/serving/labeling.h"
#include "rlhf/serving/openai.h"
#include "rlhf/serving/page_session.h"
#include "rlhf/serving/server.h"

namespace rlhf::app {
namespace {

struct ServeSettings {
  std::string model;
  std::string name;
  std::string reward_model;
  std::string host = "127.0.0.1";
  std::int64_t port = 8000;
  std::string accounts, certificate, key;
  std::string store, project = "default";
  generation::LiveOptions engine;

  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("name", name, "what clients call it; default: the last part of `model`");
    f.field("reward_model", reward_model, "chooses among best_of completions and answers /v1/score");
    f.field("host", host, "address to listen on; 0.0.0.0 = every network of this machine");
    f.field("port", port, "port to listen on; 0 = any free one");
    f.field("accounts", accounts, "file of who may use it, by bearer token; needed to listen beyond this machine");
    f.field("certificate", certificate, "PEM file: TLS with this certificate chain");
    f.field("key", key, "PEM file: the certificate's private key");
    f.field("store", store, "keeps what people say of its answers: a file, or postgresql://...; with it comes the chat page");
    f.field("project", project, "of the store");
    f.field("slots", engine.slots, "completions decoded at once");
    f.field("queue", engine.queue, "completions that may wait for a slot; more are refused");
    f.field("context", engine.context, "tokens that prompt and completion may have; bounds the memory of a slot");
    f.field("adapters", engine.adapters, "use the model's adapter, if it has one");
  }

  void validate() const {
    const auto require = [](bool holds, const char* field, std::int64_t value, const char* range) {
      if (!holds)
        throw Error({.category = Category::usage,
                     .where = field,
                     .what = fmt::format("is {}, but has to be {}", value, range)});
    };
    require(port >= 0 && port <= 65535, "port", port, "from 0 to 65535");
    require(engine.slots >= 1 && engine.slots <= 192, "slots", engine.slots, "from 1 to 192");
    require(engine.queue >= 0 && engine.queue <= 100000, "queue", engine.queue, "from 0 to 100000");
    require(engine.context >= 2, "context", engine.context, "at least 2");
  }
};

std::string name_of(const std::string& given, const std::string& model) {
  if (!given.empty()) return given;
  const auto path = std::filesystem::path(model).lexically_normal();
  return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

serving::ServerOptions server_options(const ServeSettings& settings) {
  serving::ServerOptions options{.address = settings.host, .port = static_cast<std::uint16_t>(settings.port)};
  options.certificate = settings.certificate;
  options.key = settings.key;
  options.limits.streams = static_cast<int>(settings.engine.slots + settings.engine.queue);  // each answer is one
  options.log = [](std::string_view line) { std::cerr << line << '\n'; };
  return options;
}

}  // namespace

int serve(const Invocation& call) {
  ServeSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf serve MODEL [settings]",
           .description = "Serves a model through OpenAI's API: /v1/completions, /v1/chat/completions, /v1/models, and "
                          "/v1/score.\n"
                          "Any client of that API works: base_url is the printed address with /v1 behind it.",
           .positional = {"model"}},
          settings))
    return 0;
  require_given("model", settings.model, "rlhf serve smollm2-135m");
  const auto loaded = models::load_model(settings.model);
  std::optional<models::LoadedModel> reward;
  if (!settings.reward_model.empty()) reward = models::load_model(settings.reward_model);

  serving::OpenAiApi api(loaded, {.name = name_of(settings.name, settings.model),
                                  .reward_name = name_of("", settings.reward_model),
                                  .reward_model = reward ? &*reward : nullptr,
                                  .engine = settings.engine});
  serving::Router router;
  api.add_routes(router);
  auto options = server_options(settings);
  options.metrics = std::make_shared<serving::MetricsRegistry>();
  router.get("/metrics",
             [&api, http = options.metrics](const serving::Request&) {
               return serving::Response::bytes(http->text() + api.metrics(),
                                               "text/plain; version=0.0.4; charset=utf-8");
             },
             {.access = serving::Access::viewers});
  std::shared_ptr<serving::Auth> auth;
  if (!settings.accounts.empty())
    auth = std::make_shared<serving::Auth>(std::make_shared<serving::FileCredentials>(settings.accounts));
  std::optional<feedback::Store> store;
  std::optional<serving::Labeling> labeling;
  if (!settings.store.empty()) {
    store = feedback::Store::open(settings.store, {.project = settings.project});
    serving::LabelingOptions pages;
    pages.project = settings.project;
    pages.title = name_of(settings.name, settings.model);
    labeling.emplace(*store, pages);
    add_page_session(router, auth, settings.project, loaded.text.chat.has_value());
    labeling->add_routes(router);
    add_pages(router);
  }
  serving::Server server(std::move(options), std::move(router), auth);
  server.start();
  std::cout << (call.json ? nlohmann::json{{"url", server.url()}}.dump()
                          : fmt::format("serving {} at {}", settings.model, server.url()))
            << std::endl;
  while (!stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::cerr << "stopping; requests under way have ten seconds\n";
  server.stop();
  return 0;
}

}  // namespace rlhf::app
