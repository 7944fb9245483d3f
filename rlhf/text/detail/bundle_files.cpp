#include "rlhf/text/detail/bundle_files.h"

#include <fstream>
#include <iterator>

#include "rlhf/core/error.h"

namespace rlhf::text::detail {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr const char* names[] = {
    "tokenizer.json",      "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja", "chat_template.json",    "generation_config.json",  "vocab.json",
    "merges.txt",          "tokenizer.model"};

std::optional<std::string> read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

json parse(const std::string& text, const fs::path& path) {
  try {
    json value = json::parse(text);
    if (value.is_object()) return value;
    throw Error({.category = Category::bad_data,
                 .where = path.string(),
                 .what = std::string("a JSON object is expected, found ") + value.type_name(),
                 .fix = "Restore the file."});
  } catch (const json::parse_error& error) {
    throw Error(
        {.category = Category::bad_data, .where = path.string(), .what = error.what(), .fix = "Restore the file."});
  }
}

json parse_if_there(const Files& files, const fs::path& folder, const char* name) {
  const auto found = files.find(name);
  return found == files.end() ? json::object() : parse(found->second, folder / name);
}

/// A token is written as a string or as an object with `content`.
std::optional<std::string> token_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string())
    return value["content"].get<std::string>();
  return std::nullopt;
}

std::vector<TokenId> ids(const json& value) {
  if (value.is_number_integer()) return {value.get<TokenId>()};
  std::vector<TokenId> result;
  if (value.is_array()) {
    for (const json& id : value) {
      if (id.is_number_integer()) result.push_back(id.get<TokenId>());
    }
  }
  return result;
}

/// The key `chat_template`: one template, or a list of {name, template} of which "default" counts.
std::optional<std::string> template_of(const json& value, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || value.empty()) return std::nullopt;
  std::string found_names;
  for (const json& entry : value) {
    const std::string name = entry.value("name", "");
    if (name == "default" || value.size() == 1) return entry.value("template", "");
    found_names += (found_names.empty() ? "" : ", ") + name;
  }
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = "none of the chat templates is called \"default\"; found " + found_names,
               .fix = "Put the one to use into chat_template.jinja."});
}

}  // namespace

Files read_text_files(const fs::path& folder) {
  Files files;
  for (const char* name : names) {
    if (auto text = read(folder / name)) files[name] = std::move(*text);
  }
  const fs::path more = "additional_chat_templates";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder / more, ignored)) {
    if (auto text = read(entry.path())) files[(more / entry.path().filename()).string()] = std::move(*text);
  }
  if (!files.contains("tokenizer.json")) {
    throw Error({.category = Category::bad_data,
                 .where = folder.string(),
                 .what = "there is no tokenizer.json",
                 .fix = "Save the fast tokenizer beside the weights: "
                        "AutoTokenizer.from_pretrained(...).save_pretrained(folder)."});
  }
  return files;
}

std::map<std::string, std::string> token_strings(const Files& files, const fs::path& folder) {
  std::map<std::string, std::string> tokens;
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const json config = parse_if_there(files, folder, name);
    for (const auto& [key, value] : config.items()) {
      if (!key.ends_with("_token")) continue;
      if (const auto text = token_text(value)) tokens.emplace(key, *text);
    }
  }
  return tokens;
}

std::vector<TokenId> end_ids(const Files& files, const fs::path& folder, bool also_model_config) {
  auto found = ids(parse_if_there(files, folder, "generation_config.json").value("eos_token_id", json()));
  if (!found.empty() || !also_model_config) return found;
  const auto config = read(folder / "config.json");
  return config ? ids(parse(*config, folder / "config.json").value("eos_token_id", json())) : found;
}

std::optional<FoundTemplate> find_chat_template(const Files& files, const fs::path& folder) {
  if (const auto file = files.find("chat_template.jinja"); file != files.end()) {
    return FoundTemplate{file->second, (folder / "chat_template.jinja").string()};
  }
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    const json config = parse_if_there(files, folder, name);
    const std::string where = (folder / name).string() + ": chat_template";
    if (auto source = template_of(config.value("chat_template", json()), where))
      return FoundTemplate{std::move(*source), where};
  }
  return std::nullopt;
}

Files make_text_files(std::string tokenizer_json, const std::map<std::string, std::string>& tokens,
                      const SpecialTokens& special, const std::string& chat_template) {
  json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  for (const auto& [name, token] : tokens) config[name] = token;
  json generation = json::object();
  if (special.bos) generation["bos_token_id"] = *special.bos;
  if (special.pad) generation["pad_token_id"] = *special.pad;
  if (special.stop.size() == 1) generation["eos_token_id"] = special.stop.front();
  if (special.stop.size() > 1) generation["eos_token_id"] = special.stop;
  Files files = {{"tokenizer.json", std::move(tokenizer_json)},
                 {"tokenizer_config.json", config.dump(2) + "\n"},
                 {"generation_config.json", generation.dump(2) + "\n"}};
  if (!chat_template.empty()) files["chat_template.jinja"] = chat_template;
  return files;
}

}  // namespace rlhf::text::detail
