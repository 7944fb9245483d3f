#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/flags.h"
#include "app/inspect.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/encode.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

struct InspectTemplateSettings {
  std::string model;
  std::filesystem::path messages;
  bool source = false;
  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("messages", messages, "JSON file with a list of messages; empty: a short example");
    f.field("source", source, "print the template itself");
  }
};

json example() {
  return {{{"role", "system"}, {"content", "You are helpful."}},
          {{"role", "user"}, {"content", "What is 2 + 2?"}},
          {{"role", "assistant"}, {"content", "4"}}};
}

json read_messages(const std::filesystem::path& file) {
  if (file.empty()) return example();
  auto messages = json::parse(read_file(file), nullptr, false);
  if (messages.is_object() && messages.contains("messages")) messages = json(messages["messages"]);
  if (messages.is_array() && !messages.empty()) return messages;
  throw Error({.category = Category::bad_data,
               .where = file.string(),
               .what = "is no JSON list of messages",
               .fix = "It should look like [{\"role\": \"user\", \"content\": \"Hello\"}]."});
}

/// The conversation as training data, when it ends with an answer: which tokens would carry loss.
data::EncodedExample as_training_data(const json& messages, const text::TextBundle& text) {
  data::Demonstration row;
  for (const auto& message : messages) {
    auto& list = &message == &messages.back() ? row.completion.messages : row.prompt.messages;
    list.push_back({.role = message.value("role", ""), .content = message.value("content", "")});
  }
  return data::encode(row, text);
}

void print_tokens(const data::Example& example, const text::TextBundle& text) {
  for (std::size_t i = 0; i < example.ids.size(); ++i) {
    const auto id = example.ids[i];
    const auto shown = text.tokenizer.is_special(id) ? text.tokenizer.token(id) : visible(text.tokenizer.token_bytes(id));
    std::cout << fmt::format("{:>5} {:>7}  {}  |{}|{}\n", i, id, example.mask[i] ? "loss" : "    ", shown, text.is_stop(id) ? "  stop" : "");
  }
}

}  // namespace

int inspect_template(const Invocation& call) {
  InspectTemplateSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf inspect template MODEL [--messages FILE.json]",
                            .description = "A conversation as the model meets it: its rendered text, its tokens, which of them carry loss in training, and\n"
                                           "whether the model would learn to stop.",
                            .positional = {"model", "messages"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf inspect template smollm2-135m");
  const auto text = models::load_model(settings.model).text;
  if (!text.chat) {
    throw Error({.category = Category::bad_data, .where = settings.model, .what = "has no chat template", .fix = "It continues raw text only."});
  }
  if (settings.source) {
    std::cout << text.chat->source() << '\n';
    return 0;
  }
  const auto messages = read_messages(settings.messages);
  const bool answered = messages.back().value("role", "") == "assistant";
  const auto rendered = text.chat->render(messages, !answered);
  data::EncodedExample encoded;
  if (answered) {
    encoded = as_training_data(messages, text);
  } else {
    encoded.example.ids = text.encode_rendered(rendered);
    encoded.example.mask.assign(encoded.example.ids.size(), 0);
  }
  const std::string problem(encoded.problem ? data::problem_name(*encoded.problem) : "");
  if (call.json) {
    std::cout << json{{"text", rendered}, {"ids", encoded.example.ids}, {"mask", encoded.example.mask}, {"stopped", encoded.stopped}, {"problem", problem}}.dump() << '\n';
    return 0;
  }
  std::cout << rendered << "\n\n";
  print_tokens(encoded.example, text);
  if (answered) {
    std::cout << (encoded.stopped ? "\nThe answer ends with a stop token that carries loss: the model learns to stop.\n"
                                  : "\nThe answer does not end with a stop token: a model trained on it would never stop.\n");
  }
  if (!problem.empty()) std::cout << "problem: " << problem << '\n';
  return 0;
}

}  // namespace rlhf::app
