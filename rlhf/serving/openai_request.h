#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/generation/json_format.h"
#include "rlhf/generation/sampler.h"
#include "rlhf/serving/http.h"
#include "rlhf/text/bundle.h"

namespace rlhf::serving {

/// A refusal in the API's own terms.
class ApiError : public std::runtime_error {
 public:
  ApiError(int status, std::string message, std::string param = {}, std::string code = {})
      : std::runtime_error(std::move(message)), status_(status), param_(std::move(param)), code_(std::move(code)) {}

  int status() const { return status_; }
  /// {"error": {"message", "type", "param", "code"}}
  nlohmann::json body() const;

 private:
  int status_;
  std::string param_, code_;
};

/// 429 for a full queue, 400 for what the client can correct, 500 for the rest.
ApiError api_error(const Error& error);

/// JSON formats that were asked for, each compiled once. For any number of threads.
class FormatCache {
 public:
  explicit FormatCache(const text::TextBundle& text) : text_(text) {}

  /// `schema` null: any object.
  std::shared_ptr<const generation::JsonFormat> get(const nlohmann::ordered_json& schema);

 private:
  const text::TextBundle& text_;
  std::mutex mutex_;
  std::shared_ptr<const generation::TokenBytes> tokens_;  // made when the first format is asked for
  std::map<std::string, std::shared_ptr<const generation::JsonFormat>> known_;
};

/// A request for completions, understood.
struct CompletionRequest {
  bool chat = false;
  std::vector<TokenIds> prompts;
  generation::SamplingConfig sampling;   // `num` samples are made of each prompt, ...
  int choices = 1;                       // ... and so many returned: the best ones
  std::shared_ptr<const generation::JsonFormat> format;
  bool logprobs = false;
  int top_logprobs = 0;
  bool stream = false, include_usage = false;
  bool return_token_ids = false;         // prompt_token_ids and token_ids beside the text
};

/// What a request is read for.
struct ServedModel {
  std::string name;
  const text::TextBundle* text = nullptr;
  std::int64_t vocabulary = 0, context = 0;
  FormatCache* formats = nullptr;
};

/// Reads the body of /v1/completions or /v1/chat/completions. Every key is understood, known to have no effect here (user,
/// metadata, ...) or refused. Beyond OpenAI's: top_k, min_p, repetition_penalty, ignore_eos, stop_token_ids, best_of for
/// chats too, return_token_ids, chat_template_kwargs. Throws ApiError.
CompletionRequest read_completion_request(const Request& request, bool chat, const ServedModel& model);

/// The tokens of a chat's "messages", through the model's template. Throws ApiError.
TokenIds read_messages(const nlohmann::json& body, const ServedModel& model);

/// 404 unless the body names this model or none.
void require_model(const nlohmann::json& body, const std::string& name);

}  // namespace rlhf::serving
