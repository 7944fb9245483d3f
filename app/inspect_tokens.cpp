#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/flags.h"
#include "app/inspect.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

struct InspectTokensSettings {
  std::string model;
  std::string text;
  void fields(Fields& f) {
    f.field("model", model, "folder, GGUF file, run or name of a model");
    f.field("text", text, "the text; empty: standard input");
  }
};

/// Length of the UTF-8 character at the start, 0 when there is none.
std::size_t character_length(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
  if (length == 0 || length > bytes.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(bytes[i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string visible(std::string_view bytes) {
  std::string shown;
  while (!bytes.empty()) {
    const auto lead = static_cast<unsigned char>(bytes[0]);
    const auto length = lead < 0x20 || lead == 0x7F ? 0 : character_length(bytes);
    if (length > 0) shown += bytes.substr(0, length);
    else if (lead == '\n') shown += "\\n";
    else if (lead == '\t') shown += "\\t";
    else if (lead == '\r') shown += "\\r";
    else shown += fmt::format("\\x{:02x}", lead);
    bytes.remove_prefix(length > 0 ? length : 1);
  }
  return shown;
}

int inspect_tokens(const Invocation& call) {
  InspectTokensSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf inspect tokens MODEL [TEXT]",
                            .description = "One line a token: place, id, text between bars. Special tokens written in the text are taken as such.",
                            .positional = {"model", "text"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf inspect tokens smollm2-135m \"Hello, world\"");
  if (settings.text.empty()) settings.text.assign(std::istreambuf_iterator<char>(std::cin), {});
  const auto text = models::load_model(settings.model).text;
  const auto ids = text.encode_text(settings.text);
  if (call.json) {
    std::cout << nlohmann::json{{"ids", ids}, {"text", text.tokenizer.decode(ids, false)}}.dump() << '\n';
    return 0;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto special = text.tokenizer.is_special(ids[i]);
    std::cout << fmt::format("{:>5} {:>7}  |{}|{}\n", i, ids[i], special ? text.tokenizer.token(ids[i]) : visible(text.tokenizer.token_bytes(ids[i])),
                             text.is_stop(ids[i]) ? "  stop" : special ? "  special" : "");
  }
  std::cerr << fmt::format("{} tokens for {} bytes\n", ids.size(), settings.text.size());
  return 0;
}

}  // namespace rlhf::app
