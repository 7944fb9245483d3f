#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/text/bundle.h"

namespace rlhf::text::detail {

using Files = std::map<std::string, std::string>;  // name -> bytes

/// The files of an HF directory that concern text, byte for byte. Throws if there is no tokenizer.json.
Files read_text_files(const std::filesystem::path& folder);

/// bos_token, eos_token, ... of tokenizer_config.json (special_tokens_map.json where that lacks one); nulls are left
/// out.
std::map<std::string, std::string> token_strings(const Files& files, const std::filesystem::path& folder);

/// eos_token_id of generation_config.json, one or a list; of config.json if `also_model_config` and that says nothing.
std::vector<TokenId> end_ids(const Files& files, const std::filesystem::path& folder, bool also_model_config);

struct FoundTemplate {
  std::string source;
  std::string where;
};

std::optional<FoundTemplate> find_chat_template(const Files& files, const std::filesystem::path& folder);

/// What an HF directory needs for a tokenizer that didn't come from one.
Files make_text_files(std::string tokenizer_json, const std::map<std::string, std::string>& tokens,
                      const SpecialTokens& special, const std::string& chat_template);

}  // namespace rlhf::text::detail
