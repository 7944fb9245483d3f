#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/flags.h"
#include "app/signals.h"
#include "rlhf/core/error.h"
#include "rlhf/core/progress.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/model_files.h"
#include "rlhf/text/stream_decoder.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

struct ChatSettings {
  std::string model;
  std::string system;
  bool adapters = true;
  generation::SamplingConfig sampling{.max_new_tokens = 512, .temperature = 0.7, .top_p = 0.95};

  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("system", system, "system message at the head of the conversation");
    f.field("adapters", adapters, "use the model's adapter, if it has one");
    sampling.fields(f);
  }
  void validate() const { sampling.validate(); }
};

class Conversation {
 public:
  Conversation(const models::LoadedModel& loaded, const ChatSettings& settings, bool as_json)
      : loaded_(loaded), settings_(settings), as_json_(as_json) {
    reset();
  }

  void reset() {
    messages_ = json::array();
    if (!settings_.system.empty()) messages_.push_back({{"role", "system"}, {"content", settings_.system}});
  }

  const json& messages() const { return messages_; }

  /// Answers `question`, writing the text as it comes. A turn that cannot be answered leaves the conversation as it was.
  void answer(const std::string& question) {
    auto asked = messages_;
    asked.push_back({{"role", "user"}, {"content", question}});
    data::Prompt prompt;
    prompt.id = fmt::format("turn {}", turn_++);
    prompt.ids = loaded_.text.encode_chat(asked);
    auto sampling = settings_.sampling;
    sampling.num = 1;
    sampling.max_new_tokens = std::min(sampling.max_new_tokens, room(prompt));

    text::StreamDecoder decoder(loaded_.text.tokenizer);
    generation::GenerateOptions options{.adapters = settings_.adapters};
    options.progress = [](const generation::GenerateProgress&) { stop_if_requested(); };
    if (!as_json_) {
      options.on_token = [&](std::size_t, int, TokenId token) {
        std::cout << (loaded_.text.is_stop(token) ? "" : decoder.push(token)) << std::flush;
      };
    }
    const auto completion = generation::generate(*loaded_.model, loaded_.text, {&prompt, 1}, sampling, options).front();
    const json reply = {{"role", "assistant"}, {"content", completion.text}};
    if (as_json_) std::cout << reply.dump() << std::endl;
    else std::cout << decoder.finish() << std::endl;
    asked.push_back(reply);
    messages_ = std::move(asked);
  }

 private:
  std::int64_t room(const data::Prompt& prompt) const {
    const auto context = loaded_.model->shape().context;
    if (context == 0) return settings_.sampling.max_new_tokens;
    const auto left = context - static_cast<std::int64_t>(prompt.ids.size());
    if (left > 0) return left;
    throw Error({.category = Category::bad_data,
                 .where = "conversation",
                 .what = fmt::format("has grown to {} tokens; the model's context is {}", prompt.ids.size(), context),
                 .fix = "/reset begins a new one."});
  }

  const models::LoadedModel& loaded_;
  const ChatSettings& settings_;
  bool as_json_;
  json messages_;
  int turn_ = 0;
};

constexpr std::string_view commands_of_chat =
    "/reset begins a new conversation, /history shows this one, /quit (or the end of input) leaves.\n";

/// Lines that begin with a slash. False: the chat is over.
bool obey(std::string_view line, Conversation& conversation) {
  if (line == "/quit" || line == "/exit") return false;
  if (line == "/reset") {
    conversation.reset();
    std::cerr << "(a new conversation)\n";
  } else if (line == "/history") {
    for (const auto& message : conversation.messages()) {
      std::cout << message["role"].get<std::string>() << ": " << message["content"].get<std::string>() << '\n';
    }
    std::cout.flush();
  } else {
    std::cerr << commands_of_chat;
  }
  return true;
}

}  // namespace

int chat(const Invocation& call) {
  ChatSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf chat MODEL [settings]",
                            .description = "A conversation through the model's chat template. Works with piped input too: one line, one turn.\n"
                                           "In the chat: /reset begins a new conversation, /history shows this one, /quit leaves.",
                            .positional = {"model"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf chat smollm2-135m");
  const auto loaded = models::load_model(settings.model);
  if (!loaded.text.chat) {
    throw Error({.category = Category::usage,
                 .where = settings.model,
                 .what = "has no chat template, so it is not a model to talk to",
                 .fix = "`rlhf generate --prompt TEXT` continues a raw text."});
  }
  const bool interactive = ::isatty(STDIN_FILENO) == 1;
  const bool colour = standard_error().colour;
  if (interactive) std::cerr << commands_of_chat;
  Conversation conversation(loaded, settings, call.json);
  for (std::string line; !stop_requested();) {
    if (interactive) std::cerr << (colour ? "\033[1m> \033[0m" : "> ") << std::flush;
    if (!std::getline(std::cin, line)) break;
    if (line.empty()) continue;
    if (line[0] == '/') {
      if (!obey(line, conversation)) break;
      continue;
    }
    try {
      conversation.answer(line);
    } catch (const Error& error) {
      if (!interactive) throw;
      std::cerr << error.what() << '\n';  // a person can go on
    }
  }
  return 0;
}

}  // namespace rlhf::app
