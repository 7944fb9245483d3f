#include "rlhf/text/bundle.h"

#include <algorithm>

#include "rlhf/core/error.h"
#include "rlhf/text/detail/bundle_files.h"

namespace rlhf::text {

using nlohmann::json;

namespace {

// Names under which models end a turn, where eos alone ends a document.
constexpr const char* turn_ends[] = {
    "<|im_end|>",     "<|eot_id|>", "<|eot|>", "<end_of_turn>", "<|end|>", "<|endofturn|>", "<|END_OF_TURN_TOKEN|>",
    "<|end_of_turn|>"};

void add_stop(std::vector<TokenId>& stop, std::optional<TokenId> id) {
  if (id && std::ranges::find(stop, *id) == stop.end()) stop.push_back(*id);
}

/// A template that writes an end-of-turn token shows that the model was taught to write it too.
void add_turn_ends(TextBundle& bundle) {
  if (!bundle.chat) return;
  for (const char* name : turn_ends) {
    const auto id = bundle.tokenizer.id(name);
    if (id && bundle.chat->source().find(name) != std::string::npos) add_stop(bundle.special.stop, id);
  }
}

/// The id of a token that tokenizer_config.json gives a role. Where the vocabulary lacks it, transformers would add a
/// row to the embedding in silence; a model without that row cannot have learnt it.
std::optional<TokenId> role(const Tokenizer& tokenizer, const std::map<std::string, std::string>& tokens,
                            const std::string& name, const std::string& where) {
  const auto found = tokens.find(name);
  if (found == tokens.end()) return std::nullopt;
  const auto id = tokenizer.id(found->second);
  if (!id && name != "pad_token") {
    throw Error({.category = Category::bad_data,
                 .where = where + ": " + name,
                 .what = "\"" + found->second + "\" is not in the vocabulary of tokenizer.json",
                 .fix = "Name a token that exists, or remove the key."});
  }
  return id;
}

void require_single_bos(const TokenIds& ids, const SpecialTokens& special, std::string_view text) {
  if (special.bos && ids.size() >= 2 && ids[0] == *special.bos && ids[1] == *special.bos) {
    throw Error({.category = Category::bad_data,
                 .where = "prompt encoding",
                 .what = "the text begins with two BOS tokens (id " + std::to_string(*special.bos) + "): \"" +
                         std::string(text.substr(0, 60)) + "\"",
                 .fix = "Remove the BOS from the text, or from the chat template: it was added twice."});
  }
}

}  // namespace

TextBundle TextBundle::from_hf_directory(const std::filesystem::path& folder) {
  auto files = detail::read_text_files(folder);
  auto tokenizer = Tokenizer::from_json(files.at("tokenizer.json"), (folder / "tokenizer.json").string());
  const auto tokens = detail::token_strings(files, folder);
  const std::string config = (folder / "tokenizer_config.json").string();
  TextBundle bundle{.tokenizer = std::move(tokenizer)};
  bundle.special.bos = role(bundle.tokenizer, tokens, "bos_token", config);
  bundle.special.pad = role(bundle.tokenizer, tokens, "pad_token", config);
  add_stop(bundle.special.stop, role(bundle.tokenizer, tokens, "eos_token", config));
  for (const TokenId id : detail::end_ids(files, folder, bundle.special.stop.empty()))
    add_stop(bundle.special.stop, id);
  if (auto found = detail::find_chat_template(files, folder)) {
    bundle.chat.emplace(std::move(found->source), tokens, std::move(found->where));
  }
  add_turn_ends(bundle);
  bundle.files = std::move(files);
  return bundle;
}

TextBundle TextBundle::from_gguf_metadata(GgufTokenizer gguf, std::string_view where) {
  std::string file = tokenizer_json(gguf);
  TextBundle bundle{.tokenizer = Tokenizer::from_json(file, where)};
  std::map<std::string, std::string> tokens;
  const auto name = [&](const char* key, std::optional<TokenId> id) {
    if (id) tokens[key] = gguf.tokens[static_cast<std::size_t>(*id)];
  };
  name("bos_token", gguf.bos);
  name("eos_token", gguf.eos);
  name("pad_token", gguf.pad);
  name("unk_token", gguf.unk);
  bundle.special = {.bos = gguf.bos, .pad = gguf.pad};
  add_stop(bundle.special.stop, gguf.eos);
  add_stop(bundle.special.stop, gguf.eot);
  if (!gguf.chat_template.empty()) {
    bundle.chat.emplace(gguf.chat_template, tokens, std::string(where) + ": tokenizer.chat_template");
  }
  add_turn_ends(bundle);
  bundle.files = detail::make_text_files(std::move(file), tokens, bundle.special, gguf.chat_template);
  bundle.gguf = std::move(gguf);
  return bundle;
}

TextBundle TextBundle::from_tokenizer(Tokenizer tokenizer, const std::map<std::string, std::string>& tokens,
                                      const std::string& chat_template) {
  TextBundle bundle{.tokenizer = std::move(tokenizer)};
  const std::string where = "TextBundle::from_tokenizer";
  bundle.special.bos = role(bundle.tokenizer, tokens, "bos_token", where);
  bundle.special.pad = role(bundle.tokenizer, tokens, "pad_token", where);
  add_stop(bundle.special.stop, role(bundle.tokenizer, tokens, "eos_token", where));
  if (!chat_template.empty()) bundle.chat.emplace(chat_template, tokens);
  add_turn_ends(bundle);
  bundle.files = detail::make_text_files(bundle.tokenizer.to_json(), tokens, bundle.special, chat_template);
  return bundle;
}

TokenIds TextBundle::encode_text(std::string_view text) const {
  auto ids = tokenizer.encode(text, true);
  require_single_bos(ids, special, text);
  return ids;
}

TokenIds TextBundle::encode_rendered(std::string_view rendered) const {
  auto ids = tokenizer.encode(rendered, false);
  require_single_bos(ids, special, rendered);
  return ids;
}

TokenIds TextBundle::encode_chat(const json& messages, bool add_generation_prompt, const json& extra) const {
  if (!chat) {
    throw Error({.category = Category::usage,
                 .where = "chat template",
                 .what = "the model has none, but the prompt is a list of messages",
                 .fix = "Give the prompt as text, or use an instruction-tuned model."});
  }
  return encode_rendered(chat->render(messages, add_generation_prompt, extra));
}

bool TextBundle::is_stop(TokenId id) const { return std::ranges::find(special.stop, id) != special.stop.end(); }

GgufTokenizer TextBundle::to_gguf_metadata() const {
  if (gguf) return *gguf;
  GgufTokenizer made = gguf_metadata(tokenizer);
  made.bos = special.bos;
  made.pad = special.pad;
  if (!special.stop.empty()) made.eos = special.stop.front();
  if (special.stop.size() > 1) made.eot = special.stop[1];
  const TokenIds around = tokenizer.encode("a", true);
  made.add_bos = made.bos && !around.empty() && around.front() == *made.bos;
  if (chat) made.chat_template = chat->source();
  return made;
}

}  // namespace rlhf::text
