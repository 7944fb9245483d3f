#include "rlhf/serving/openai_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "rlhf/core/spelling.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;

/// The keys of a request's body; each has to be asked for by somebody, or it is unknown.
class Body {
 public:
  explicit Body(const json& object) : object_(object) {
    if (!object.is_object()) throw ApiError(400, "The body has to be a JSON object.");
  }

  /// Null where it is missing.
  const json& at(const std::string& key) {
    static const json none;
    known_.push_back(key);
    const auto found = object_.find(key);
    return found == object_.end() ? none : *found;
  }

  double number(const std::string& key, double otherwise, double low, double high) {
    const auto& value = at(key);
    if (value.is_null()) return otherwise;
    if (value.is_number() && value >= low && value <= high) return value;
    throw ApiError(400, fmt::format("'{}' has to be a number from {} to {}; it is {}.", key, low, high, value.dump()),
                   key);
  }

  std::int64_t integer(const std::string& key, std::int64_t otherwise, std::int64_t low, std::int64_t high) {
    const auto& value = at(key);
    if (value.is_null()) return otherwise;
    if (value.is_number_integer() && value >= low && value <= high) return value;
    throw ApiError(
        400, fmt::format("'{}' has to be a whole number from {} to {}; it is {}.", key, low, high, value.dump()), key);
  }

  bool flag(const std::string& key, bool otherwise = false) {
    const auto& value = at(key);
    if (value.is_null()) return otherwise;
    if (value.is_boolean()) return value;
    throw ApiError(400, fmt::format("'{}' has to be true or false; it is {}.", key, value.dump()), key);
  }

  void without_effect(std::initializer_list<const char*> keys) {
    known_.insert(known_.end(), keys.begin(), keys.end());
  }

  void refuse(const std::string& key, const std::string& why) {
    const auto& value = at(key);
    if (value.is_null() || value == json(false) || value == "" || value == "none" ||
        (value.is_structured() && value.empty()))
      return;
    throw ApiError(400, fmt::format("'{}' is not supported: {}", key, why), key, "unsupported_parameter");
  }

  void require_no_other() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const auto meant = nearest(key, known_);
      throw ApiError(
          400, fmt::format("'{}' is not known here.{}", key, meant ? fmt::format(" Did you mean '{}'?", *meant) : ""),
          key, "unknown_parameter");
    }
  }

 private:
  const json& object_;
  std::vector<std::string> known_;
};

bool is_token_list(const json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](auto& each) { return each.is_number_integer(); });
}

std::vector<TokenIds> read_prompt(const json& prompt, const ServedModel& model) {
  if (prompt.is_string()) return {model.text->encode_text(prompt.get_ref<const std::string&>())};
  if (is_token_list(prompt)) return {prompt.get<TokenIds>()};
  std::vector<TokenIds> prompts;
  if (prompt.is_array()) {
    for (const auto& each : prompt) {
      if (each.is_string())
        prompts.push_back(model.text->encode_text(each.get_ref<const std::string&>()));
      else if (is_token_list(each))
        prompts.push_back(each.get<TokenIds>());
    }
    if (!prompt.empty() && prompts.size() == prompt.size()) return prompts;
  }
  throw ApiError(400, "'prompt' has to be a text, a list of texts, a list of token ids, or a list of such lists.",
                 "prompt");
}

/// A message's text: a string, or parts of type text.
std::string text_of(const json& content, const std::string& where) {
  if (content.is_string()) return content;
  if (content.is_null()) return "";
  std::string text;
  if (!content.is_array()) throw ApiError(400, fmt::format("'{}' has to be a text or a list of parts.", where), where);
  for (const auto& part : content) {
    if (!part.is_object() || part.value("type", json()) != "text" || !part.value("text", json()).is_string()) {
      throw ApiError(400, fmt::format("'{}' has a part that is no text; this model reads text only.", where), where);
    }
    text += part["text"].get_ref<const std::string&>();
  }
  return text;
}

std::vector<std::string> read_stop(const json& stop) {
  if (stop.is_null()) return {};
  const bool list = stop.is_array() && stop.size() <= 16 &&
                    std::all_of(stop.begin(), stop.end(), [](auto& each) { return each.is_string() && each != ""; });
  if (stop.is_string() && stop != "") return {stop.get<std::string>()};
  if (!list) throw ApiError(400, "'stop' has to be a text or a list of at most 16 texts.", "stop");
  return stop.get<std::vector<std::string>>();
}

std::vector<std::pair<TokenId, float>> read_logit_bias(const json& bias, std::int64_t vocabulary) {
  std::vector<std::pair<TokenId, float>> read;
  if (bias.is_null()) return read;
  const auto wrong = [&] {
    return ApiError(400, "'logit_bias' has to map token ids of this model to numbers from -100 to 100.", "logit_bias");
  };
  if (!bias.is_object()) throw wrong();
  for (const auto& [key, value] : bias.items()) {
    TokenId id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 || id >= vocabulary || !value.is_number() ||
        value < -100 || value > 100)
      throw wrong();
    read.emplace_back(id, value.get<float>());
  }
  return read;
}

/// `raw` is read once more where a schema is given: its keys have an order that matters.
std::shared_ptr<const generation::JsonFormat> read_format(const json& format, const std::string& raw,
                                                          FormatCache& formats) {
  if (format.is_null()) return nullptr;
  const auto type = format.is_object() ? format.value("type", json()) : json();
  if (type == "text") return nullptr;
  if (type == "json_object") return formats.get(nullptr);
  if (type == "json_schema") {
    const auto body = nlohmann::ordered_json::parse(raw);
    const auto at = body["response_format"].find("json_schema");
    if (at != body["response_format"].end() && at->is_object() && at->contains("schema"))
      return formats.get((*at)["schema"]);
    throw ApiError(400, "'response_format.json_schema' has to hold a 'schema'.", "response_format");
  }
  throw ApiError(400, "'response_format.type' has to be text, json_object or json_schema.", "response_format");
}

std::vector<std::int64_t> read_stop_ids(const json& ids) {
  if (ids.is_null() || (ids.is_array() && ids.empty())) return {};
  if (!is_token_list(ids)) throw ApiError(400, "'stop_token_ids' has to be a list of token ids.", "stop_token_ids");
  return ids.get<std::vector<std::int64_t>>();
}

void read_sampling(Body& body, const ServedModel& model, generation::SamplingConfig& sampling) {
  sampling.temperature = body.number("temperature", 1, 0, 100);
  sampling.greedy = sampling.temperature == 0;
  if (sampling.greedy) sampling.temperature = 1;
  sampling.top_p = body.number("top_p", 1, 1e-9, 1);
  sampling.min_p = body.number("min_p", 0, 0, 1);
  sampling.top_k = std::max<std::int64_t>(0, body.integer("top_k", 0, -1, 1 << 30));
  sampling.repetition_penalty = body.number("repetition_penalty", 1, 1e-3, 1e3);
  sampling.presence_penalty = body.number("presence_penalty", 0, -2, 2);
  sampling.frequency_penalty = body.number("frequency_penalty", 0, -2, 2);
  sampling.logit_bias = read_logit_bias(body.at("logit_bias"), model.vocabulary);
  sampling.stop = read_stop(body.at("stop"));
  sampling.stop_ids = read_stop_ids(body.at("stop_token_ids"));
  sampling.ignore_eos = body.flag("ignore_eos");
  const auto& seed = body.at("seed");
  if (!seed.is_null() && !seed.is_number_integer()) throw ApiError(400, "'seed' has to be a whole number.", "seed");
  std::random_device device;
  sampling.seed =
      seed.is_null() ? std::uint64_t{device()} << 32 | device() : static_cast<std::uint64_t>(seed.get<std::int64_t>());
}

void read_logprobs(Body& body, CompletionRequest& read) {
  if (read.chat) {
    read.logprobs = body.flag("logprobs");
    read.top_logprobs = static_cast<int>(body.integer("top_logprobs", 0, 0, 20));
    if (read.top_logprobs > 0 && !read.logprobs)
      throw ApiError(400, "'top_logprobs' needs 'logprobs': true.", "top_logprobs");
  } else {
    read.logprobs = !body.at("logprobs").is_null() && body.at("logprobs") != json(false);
    read.top_logprobs = read.logprobs ? static_cast<int>(body.integer("logprobs", 0, 0, 20)) : 0;
  }
}

void read_max_tokens(Body& body, const ServedModel& model, CompletionRequest& read) {
  std::int64_t longest = 0;
  for (const auto& prompt : read.prompts) longest = std::max(longest, std::ssize(prompt));
  const auto room = model.context - longest;
  const auto otherwise = read.chat ? std::max<std::int64_t>(1, room)
                                   : std::min<std::int64_t>(16, std::max<std::int64_t>(1, room));  // 16: OpenAI's
  const auto max_tokens = body.integer("max_tokens", otherwise, 1, 1 << 30);
  read.sampling.max_new_tokens = body.integer("max_completion_tokens", max_tokens, 1, 1 << 30);
  if (longest + read.sampling.max_new_tokens <= model.context) return;
  throw ApiError(
      400,
      fmt::format(
          "The prompt has {} tokens and {} more are asked for; this model's context is {} tokens. {}", longest,
          read.sampling.max_new_tokens, model.context,
          room > 0 ? fmt::format("Shorten the prompt, or set max_tokens to {} or less.", room) : "Shorten the prompt."),
      "max_tokens", "context_length_exceeded");
}

}  // namespace

json ApiError::body() const {
  const auto type = status_ == 429 ? "rate_limit_error" : status_ >= 500 ? "server_error" : "invalid_request_error";
  const auto or_null = [](const std::string& text) { return text.empty() ? json() : json(text); };
  return {{"error", {{"message", what()}, {"type", type}, {"param", or_null(param_)}, {"code", or_null(code_)}}}};
}

ApiError api_error(const Error& error) {
  const auto message =
      fmt::format("{}: {}.{}", error.where(), error.problem(), error.fix().empty() ? "" : " " + error.fix());
  switch (error.category()) {
    case Category::usage:
    case Category::bad_data:
      return {400, message, error.where()};
    case Category::resource:
      return {429, message, "", "overloaded"};
    default:
      return {500, message};
  }
}

std::shared_ptr<const generation::JsonFormat> FormatCache::get(const nlohmann::ordered_json& schema) {
  constexpr std::size_t most = 64;
  const std::lock_guard lock(mutex_);
  if (!tokens_) tokens_ = std::make_shared<const generation::TokenBytes>(text_);
  const auto key = schema.dump();
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  auto grammar =
      schema.is_null() ? generation::JsonGrammar::any_object() : generation::JsonGrammar::from_schema(schema);
  if (known_.size() >= most) known_.clear();
  return known_[key] = std::make_shared<const generation::JsonFormat>(std::move(grammar), tokens_);
}

void require_model(const json& body, const std::string& name) {
  if (!body.is_object()) throw ApiError(400, "The body has to be a JSON object.");
  const auto model = body.value("model", json());
  // The chat page does not know what the one model here is called.
  if (model.is_null() || model == name || model == "default") return;
  throw ApiError(404, fmt::format("The model {} does not exist here; this server has '{}'.", model.dump(), name),
                 "model", "model_not_found");
}

TokenIds read_messages(const json& body, const ServedModel& model) {
  const auto messages = body.value("messages", json());
  if (!messages.is_array() || messages.empty())
    throw ApiError(400, "'messages' has to be a list of at least one message.", "messages");
  auto plain = json::array();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!messages[i].is_object() || !messages[i].value("role", json()).is_string()) {
      throw ApiError(400, fmt::format("'messages[{}]' has to be an object with a 'role' and a 'content'.", i),
                     "messages");
    }
    plain.push_back(messages[i]);
    plain.back()["content"] = text_of(messages[i].value("content", json()), fmt::format("messages[{}].content", i));
  }
  const auto extra = body.value("chat_template_kwargs", json::object());
  if (!extra.is_object()) throw ApiError(400, "'chat_template_kwargs' has to be an object.", "chat_template_kwargs");
  return model.text->encode_chat(plain, body.value("add_generation_prompt", true), extra);
}

CompletionRequest read_completion_request(const Request& request, bool chat, const ServedModel& model) {
  const auto object = request.json();
  require_model(object, model.name);
  Body body(object);
  CompletionRequest read{.chat = chat};
  body.without_effect({"model", "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
                       "parallel_tool_calls"});
  if (chat) {
    body.without_effect({"messages", "chat_template_kwargs", "add_generation_prompt"});
    read.prompts.push_back(read_messages(object, model));
    for (const char* key : {"tools", "tool_choice", "functions", "function_call"})
      body.refuse(key, "this server calls no tools.");
    for (const char* key : {"audio", "prediction", "web_search_options"})
      body.refuse(key, "this server makes text only.");
    body.without_effect({"modalities"});
  } else {
    read.prompts = read_prompt(body.at("prompt"), model);
    body.refuse("echo", "send the prompt as token ids, and ask for return_token_ids.");
    body.refuse("suffix", "this server continues texts.");
  }
  read_sampling(body, model, read.sampling);
  read_max_tokens(body, model, read);
  read_logprobs(body, read);
  read.choices = static_cast<int>(body.integer("n", 1, 1, 128));
  read.sampling.num = body.integer("best_of", read.choices, read.choices, 128);
  read.format = read_format(body.at("response_format"), request.body, *model.formats);
  read.stream = body.flag("stream");
  const auto& stream_options = body.at("stream_options");
  read.include_usage = stream_options.is_object() && stream_options.value("include_usage", json(false)) == json(true);
  read.return_token_ids = body.flag("return_token_ids");
  body.require_no_other();
  if (read.stream && read.sampling.num > read.choices)
    throw ApiError(400, "'best_of' needs all completions before it can choose, so it cannot be streamed.", "best_of");
  return read;
}

}  // namespace rlhf::serving
