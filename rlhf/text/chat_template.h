#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rlhf::text {

namespace detail {
struct TemplateHandle;
}

/// A Jinja chat template, rendered as transformers renders it: trim_blocks, lstrip_blocks, `raise_exception`,
/// `strftime_now`, json.dumps spacing of `tojson`, Python's string, list and dict methods, `{% generation %}` blocks
/// (transparent).
///
/// A template is data from strangers: it has no access to files, an endless loop runs out of fuel, and what it writes
/// is bounded. Cheap to copy; safe to use from several threads.
class ChatTemplate {
 public:
  /// `tokens` are the strings every rendering can name: bos_token, eos_token, pad_token, unk_token. `where` names the
  /// source in errors. Throws rlhf::Error (bad_data) with the line of a syntax error.
  explicit ChatTemplate(std::string source, std::map<std::string, std::string> tokens = {},
                        std::string where = "chat template");

  /// `messages`: an array of objects with role and content (and whatever else the template reads). `extra`: an object
  /// whose keys become variables (tools, documents, enable_thinking, ...); they win over the tokens. Throws rlhf::Error
  /// (bad_data) with the template's own words for raise_exception, or the line that failed.
  std::string render(const nlohmann::json& messages, bool add_generation_prompt = true,
                     const nlohmann::json& extra = nlohmann::json::object()) const;

  /// The same with all variables given as the text of a JSON object: keys of tools keep their order, which
  /// nlohmann::json sorts.
  std::string render_variables(std::string_view json) const;

  const std::string& source() const { return source_; }
  const std::map<std::string, std::string>& tokens() const { return tokens_; }

 private:
  std::string source_;
  std::map<std::string, std::string> tokens_;
  std::string where_;
  std::shared_ptr<const detail::TemplateHandle> handle_;
};

/// The ChatML format of SmolLM2 and Qwen without their default system prompts, for models trained from scratch here.
std::string chatml_template();

}  // namespace rlhf::text
