#include "rlhf/text/chat_template.h"

#include "rlhf/core/error.h"
#include "rlhf/text/detail/border.h"

namespace rlhf::text {

using detail::Bytes;
using detail::view;

ChatTemplate::ChatTemplate(std::string source, std::map<std::string, std::string> tokens, std::string where)
    : source_(std::move(source)), tokens_(std::move(tokens)), where_(std::move(where)) {
  Bytes error;
  rlhf_template* raw = rlhf_template_compile(view(source_), error.out());
  if (raw == nullptr)
    detail::fail(where_, error, "Correct the template; `rlhf inspect template` shows it with its lines.");
  handle_ = std::make_shared<detail::TemplateHandle>(raw);
}

std::string ChatTemplate::render(const nlohmann::json& messages, bool add_generation_prompt,
                                 const nlohmann::json& extra) const {
  if (!messages.is_array()) {
    throw Error({.category = Category::bad_data,
                 .where = where_,
                 .what = std::string("the messages are a JSON ") + messages.type_name() + ", not an array",
                 .fix = "Pass [{\"role\": \"user\", \"content\": \"...\"}]."});
  }
  // The names that transformers always defines: a template may ask whether `tools` is none.
  nlohmann::json variables = {{"tools", nullptr}, {"documents", nullptr}};
  for (const auto& [name, token] : tokens_) variables[name] = token;
  variables["messages"] = messages;
  variables["add_generation_prompt"] = add_generation_prompt;
  if (extra.is_object()) variables.update(extra);
  try {
    return render_variables(variables.dump());
  } catch (const nlohmann::json::type_error& error) {
    throw Error({.category = Category::bad_data,
                 .where = where_,
                 .what = std::string("a message is not UTF-8: ") + error.what(),
                 .fix = "Convert the text to UTF-8 first."});
  }
}

std::string ChatTemplate::render_variables(std::string_view json) const {
  Bytes text, error;
  if (!rlhf_template_render(handle_->raw, view(json), text.out(), error.out())) {
    detail::fail(where_, error, "Check that the roles and their order are those this model's template accepts.");
  }
  return text.text();
}

std::string chatml_template() {
  return "{% for message in messages %}"
         "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
         "{% endfor %}"
         "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
}

}  // namespace rlhf::text
