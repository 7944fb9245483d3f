#include "rlhf/text/gguf_tokenizer.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "rlhf/core/error.h"
#include "rlhf/text/detail/gguf_pieces.h"
#include "rlhf/text/detail/pre_tokenizers.h"

namespace rlhf::text {

using detail::bad_gguf;
using detail::GgufType;
using nlohmann::json;

namespace detail {

void bad_gguf(std::string key, std::string what, std::string fix) {
  throw Error({.category = Category::bad_data,
               .where = "GGUF tokenizer.ggml." + std::move(key),
               .what = std::move(what),
               .fix = std::move(fix)});
}

GgufType type_of(const GgufTokenizer& gguf, std::size_t id) {
  return gguf.token_types.empty() ? GgufType::normal : static_cast<GgufType>(gguf.token_types[id]);
}

}  // namespace detail

namespace {

void check_shape(const GgufTokenizer& gguf) {
  if (gguf.tokens.empty())
    bad_gguf("tokens", "there are no tokens", "The file holds no tokenizer; use its HF directory.");
  if (!gguf.token_types.empty() && gguf.token_types.size() != gguf.tokens.size()) {
    bad_gguf("token_type",
             std::to_string(gguf.token_types.size()) + " types for " + std::to_string(gguf.tokens.size()) + " tokens",
             "The file is damaged or truncated.");
  }
  const auto size = static_cast<TokenId>(gguf.tokens.size());
  for (const auto& [key, id] : {std::pair{"bos_token_id", gguf.bos},
                                {"eos_token_id", gguf.eos},
                                {"padding_token_id", gguf.pad},
                                {"eot_token_id", gguf.eot},
                                {"unknown_token_id", gguf.unk}}) {
    if (id && (*id < 0 || *id >= size)) {
      bad_gguf(key, std::to_string(*id) + " is not one of the " + std::to_string(size) + " tokens",
               "The file is damaged.");
    }
  }
}

/// token -> id. Two ids for one string would make one of them unreachable in tokenizer.json.
json vocabulary(const GgufTokenizer& gguf) {
  json result = json::object();
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    if (!result.emplace(gguf.tokens[id], id).second) {
      bad_gguf(
          "tokens",
          "\"" + gguf.tokens[id] + "\" has two ids, " + result[gguf.tokens[id]].dump() + " and " + std::to_string(id),
          "Use the model's HF directory.");
    }
  }
  return result;
}

/// Control tokens are special; user-defined ones are matched as a whole too, but are text.
json added_tokens(const GgufTokenizer& gguf) {
  json result = json::array();
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    const GgufType type = detail::type_of(gguf, id);
    const bool unknown_piece = type == GgufType::unknown;
    if (type != GgufType::control && type != GgufType::user_defined && !unknown_piece) continue;
    result.push_back({{"id", id},
                      {"content", gguf.tokens[id]},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", type != GgufType::user_defined}});
  }
  return result;
}

/// What encode(text, add_special) puts around the text.
json post_processor(const GgufTokenizer& gguf, bool adds_bos) {
  const bool bos = gguf.add_bos.value_or(adds_bos) && gguf.bos;
  const bool eos = gguf.add_eos.value_or(false) && gguf.eos;
  if (!bos && !eos) return nullptr;
  json special = json::object();
  const auto token = [&](TokenId id) -> json {
    const std::string& text = gguf.tokens[static_cast<std::size_t>(id)];
    special[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
    return {{"SpecialToken", {{"id", text}, {"type_id", 0}}}};
  };
  const auto around = [&](const char* name) {
    json parts = json::array();
    if (bos) parts.push_back(token(*gguf.bos));
    parts.push_back({{"Sequence", {{"id", name}, {"type_id", 0}}}});
    if (eos) parts.push_back(token(*gguf.eos));
    return parts;
  };
  json pair = around("A");
  for (json& part : around("B")) pair.push_back(std::move(part));
  json single = around("A");
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(special)}};
}

std::string whole(const GgufTokenizer& gguf, json model, json normalizer, json steps, json decoder, bool adds_bos) {
  model["vocab"] = vocabulary(gguf);
  const json file = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added_tokens(gguf)},
                     {"normalizer", std::move(normalizer)},
                     {"pre_tokenizer", std::move(steps)},
                     {"post_processor", post_processor(gguf, adds_bos)},
                     {"decoder", std::move(decoder)},
                     {"model", std::move(model)}};
  try {
    return file.dump(1);
  } catch (const json::type_error& error) {
    bad_gguf("tokens", std::string("a token is not UTF-8: ") + error.what(), "The file is damaged.");
  }
}

json bpe(json merges, bool byte_fallback, bool ignore_merges, json unknown) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", std::move(unknown)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", byte_fallback},
          {"byte_fallback", byte_fallback},
          {"ignore_merges", ignore_merges},
          {"merges", std::move(merges)}};
}

std::string byte_level_json(const GgufTokenizer& gguf) {
  const detail::PreTokenizer* pre = detail::find_pre_tokenizer(gguf.pre);
  if (pre == nullptr) {
    std::string known;
    for (const auto& entry : detail::pre_tokenizers()) {
      for (const std::string& name : entry.names) known += (known.empty() ? "" : ", ") + name;
    }
    bad_gguf("pre", "\"" + gguf.pre + "\" is unknown here; known are " + known,
             "Use the model's HF directory (tokenizer.json).");
  }
  json merges = json::array();
  for (const std::string& merge : gguf.merges) {
    const auto space = merge.find(' ', 1);
    if (space == std::string::npos || space + 1 == merge.size()) {
      bad_gguf(
          "merges",
          "\"" + merge + "\" (number " + std::to_string(merges.size()) + ") is not two tokens with a space between",
          "The file is damaged.");
    }
    merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  const json decoder = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  return whole(gguf, bpe(std::move(merges), false, pre->ignore_merges, nullptr), pre->normalizer, pre->steps, decoder,
               pre->adds_bos);
}

std::string pieces_json(const GgufTokenizer& gguf) {
  json merges = detail::merges_of_pieces(gguf);
  const bool prefix = gguf.add_space_prefix.value_or(true);
  const json spaces = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}};
  const json normalizer =
      prefix ? json{{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", "▁"}}, spaces}}} : spaces;
  json steps = {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                {{"type", "ByteFallback"}},
                {{"type", "Fuse"}}};
  if (prefix) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  const json decoder = {{"type", "Sequence"}, {"decoders", std::move(steps)}};
  const json unknown = gguf.unk ? json(gguf.tokens[static_cast<std::size_t>(*gguf.unk)]) : json();
  return whole(gguf, bpe(std::move(merges), true, false, unknown), normalizer, nullptr, decoder, true);
}

}  // namespace

std::string tokenizer_json(const GgufTokenizer& gguf) {
  check_shape(gguf);
  if (gguf.model == "gpt2") return byte_level_json(gguf);
  if (gguf.model == "llama") return pieces_json(gguf);
  bad_gguf("model", "\"" + gguf.model + "\" is unknown here; known are gpt2 (byte-level BPE) and llama (SentencePiece)",
           "Use the model's HF directory (tokenizer.json).");
}

}  // namespace rlhf::text
