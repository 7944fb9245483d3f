#include "rlhf/serving/openai.h"

#include <fmt/format.h>

#include <chrono>

#include "rlhf/rewards/learned.h"
#include "rlhf/serving/openai_answer.h"

namespace rlhf::serving {

using nlohmann::json;

struct OpenAiApi::State {
  State(const models::LoadedModel& model, OpenAiOptions given)
      : loaded(model), options(std::move(given)), formats(model.text), engine(*model.model, model.text, options.engine) {
    served = {.name = options.name, .text = &model.text, .vocabulary = model.model->shape().vocabulary, .context = engine.context(), .formats = &formats};
  }

  Response models() const;
  Response complete(const Request& request, bool chat);
  Response score(const Request& request);
  Response tokenize(const Request& request) const;
  Response detokenize(const Request& request) const;
  json model_entry(const std::string& name) const;
  std::vector<double> choice_scores(std::span<const TokenIds> prompts, std::span<const data::Completion> completions) const;

  const models::LoadedModel& loaded;
  OpenAiOptions options;
  FormatCache formats;
  ServedModel served;
  std::int64_t started = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  generation::LiveEngine engine;
};

namespace {

constexpr std::size_t most_rows = 1024;

/// The handler's errors in OpenAI's shape.
template <class Work>
Handler answering(Work work) {
  return [work](const Request& request) {
    try {
      return work(request);
    } catch (const ApiError& error) {
      return Response::json(error.body(), error.status());
    } catch (const Error& error) {
      const auto refusal = api_error(error);
      return Response::json(refusal.body(), refusal.status());
    } catch (const json::exception&) {
      return Response::json(ApiError(400, "A value in the body is not of the type that it has to be.").body(), 400);
    }
  };
}

std::vector<data::Message> messages_of(const json& list) {
  std::vector<data::Message> messages;
  for (const auto& each : list) messages.push_back({.role = each.at("role"), .content = each.at("content")});
  return messages;
}

bool is_messages(const json& value) { return value.is_array() && !value.empty() && value[0].is_object(); }

/// A row of /v1/score. Each side is a text, a list of messages or a list of token ids.
data::Demonstration row_of(const json& row, std::size_t index) {
  data::Demonstration made{.where = fmt::format("data[{}]", index)};
  const auto& prompt = row.at("prompt");
  const auto& completion = row.at("completion");
  if (prompt.is_string()) made.prompt.text = prompt;
  else if (is_messages(prompt)) made.prompt.messages = messages_of(prompt);
  else made.prompt.ids = prompt.get<TokenIds>();
  if (is_messages(completion)) made.completion.messages = messages_of(completion);
  else if (completion.is_array()) made.completion.ids = completion.get<TokenIds>();
  // The answer of a chat is a turn: the template writes what ends it.
  else if (!made.prompt.messages.empty()) made.completion.messages = {{.role = "assistant", .content = completion}};
  else made.completion.text = completion;
  return made;
}

}  // namespace

json OpenAiApi::State::model_entry(const std::string& name) const {
  return {{"id", name}, {"object", "model"}, {"created", started}, {"owned_by", "rlhf"}, {"max_model_len", served.context}};
}

Response OpenAiApi::State::models() const {
  auto list = json::array({model_entry(options.name)});
  if (options.reward_model != nullptr) list.push_back(model_entry(options.reward_name));
  return Response::json({{"object", "list"}, {"data", list}});
}

Response OpenAiApi::State::complete(const Request& request, bool chat) {
  ChoiceScores scores;
  if (options.reward_model != nullptr) scores = [this](auto prompts, auto completions) { return choice_scores(prompts, completions); };
  const auto answer = std::make_shared<CompletionAnswer>(read_completion_request(request, chat, served), served, engine, std::move(scores));
  answer->begin();
  return answer->response();
}

std::vector<double> OpenAiApi::State::choice_scores(std::span<const TokenIds> prompts, std::span<const data::Completion> completions) const {
  std::vector<data::Example> rows;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    data::Example row{.ids = prompts[i]};
    row.ids.insert(row.ids.end(), completions[i].ids.begin(), completions[i].ids.end());
    row.mask.resize(row.ids.size());
    row.scored = std::ssize(row.ids) - 1;
    rows.push_back(std::move(row));
  }
  return rewards::model_scores(*options.reward_model, rows);
}

Response OpenAiApi::State::score(const Request& request) {
  const auto body = request.json();
  const auto name = body.is_object() ? body.value("model", json()) : json();
  const bool by_reward = options.reward_model != nullptr && name != options.name;
  require_model(body, by_reward ? options.reward_name : options.name);
  const auto data = body.value("data", json());
  if (!data.is_array() || data.empty() || data.size() > most_rows) {
    throw ApiError(400, fmt::format("'data' has to be a list of 1 to {} rows with a 'prompt' and a 'completion'.", most_rows), "data");
  }
  const auto& model = by_reward ? *options.reward_model : loaded;
  std::vector<data::Example> rows;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    rows.push_back(rewards::scorable(row_of(data[i], i), model));
    tokens += rows.back().ids.size();
  }
  auto list = json::array();
  // A pass at a time, so that streams go on in between.
  for (std::size_t begin = 0; begin < rows.size();) {
    const auto end = rewards::end_of_pass(rows, begin, 512);
    std::vector<double> values;
    engine.between_steps([&] { values = rewards::model_scores(model, std::span(rows).subspan(begin, end - begin)); }).get();
    for (const auto value : values) list.push_back({{"index", list.size()}, {"object", "score"}, {"score", value}});
    begin = end;
  }
  return Response::json({{"object", "list"},
                         {"model", by_reward ? options.reward_name : options.name},
                         {"kind", model.score ? "reward" : "logprob"},
                         {"data", list},
                         {"usage", {{"prompt_tokens", tokens}, {"completion_tokens", 0}, {"total_tokens", tokens}}}});
}

Response OpenAiApi::State::tokenize(const Request& request) const {
  const auto body = request.json();
  require_model(body, options.name);
  if (!body.contains("messages") && !body.value("prompt", json()).is_string()) throw ApiError(400, "Give a 'prompt' (a text) or 'messages'.", "prompt");
  const auto tokens = body.contains("messages") ? read_messages(body, served) : loaded.text.encode_text(body["prompt"].get_ref<const std::string&>());
  return Response::json({{"tokens", tokens}, {"count", tokens.size()}, {"max_model_len", served.context}});
}

Response OpenAiApi::State::detokenize(const Request& request) const {
  const auto body = request.json();
  require_model(body, options.name);
  return Response::json({{"prompt", loaded.text.tokenizer.decode(body.at("tokens").get<TokenIds>(), false)}});
}

OpenAiApi::OpenAiApi(const models::LoadedModel& loaded, OpenAiOptions options) {
  if (const auto* reward = options.reward_model) {
    const auto refuse = [&](std::string what, std::string fix) {
      throw Error({.category = Category::usage, .where = options.reward_name, .what = std::move(what), .fix = std::move(fix)});
    };
    if (!reward->score) refuse("is no reward model: it has no score head", "`rlhf train reward_model` makes one.");
    if (reward->text.tokenizer.to_json() != loaded.text.tokenizer.to_json()) {
      refuse("has another tokenizer than the model", "Train the reward model from the same base.");
    }
  }
  state_ = std::make_unique<State>(loaded, std::move(options));
}

OpenAiApi::~OpenAiApi() = default;

generation::LiveEngine& OpenAiApi::engine() { return state_->engine; }

void OpenAiApi::add_routes(Router& router) {
  auto* state = state_.get();
  const RouteOptions large{.body_limit = 8 << 20};
  router.get("/v1/models", answering([state](const Request&) { return state->models(); }));
  router.get("/v1/models/{name...}", answering([state](const Request& request) {
               require_model({{"model", request.parameter("name")}}, state->options.name);
               return Response::json(state->model_entry(state->options.name));
             }));
  router.post("/v1/completions", answering([state](const Request& request) { return state->complete(request, false); }), large);
  router.post("/v1/chat/completions", answering([state](const Request& request) { return state->complete(request, true); }), large);
  router.post("/v1/score", answering([state](const Request& request) { return state->score(request); }), large);
  router.post("/tokenize", answering([state](const Request& request) { return state->tokenize(request); }), large);
  router.post("/detokenize", answering([state](const Request& request) { return state->detokenize(request); }), large);
}

std::string OpenAiApi::metrics() const {
  const auto now = state_->engine.status();
  std::string text;
  const auto add = [&](const char* name, const char* type, const char* help, std::int64_t value) {
    text += fmt::format("# HELP rlhf_{0} {1}\n# TYPE rlhf_{0} {2}\nrlhf_{0} {3}\n", name, help, type, value);
  };
  add("slots", "gauge", "Sequences that can be decoded at once.", now.slots);
  add("sequences_running", "gauge", "Sequences that are being decoded.", now.running);
  add("prompts_waiting", "gauge", "Prompts without a slot.", now.waiting);
  add("requests_accepted_total", "counter", "Prompts taken from clients.", now.accepted);
  add("requests_finished_total", "counter", "Prompts whose completions are all made.", now.finished);
  add("requests_cancelled_total", "counter", "Prompts given up because the client had gone.", now.cancelled);
  add("requests_refused_total", "counter", "Prompts refused because the queue was full.", now.refused);
  add("prompt_tokens_total", "counter", "Tokens of prompts.", now.prompt_tokens);
  add("completion_tokens_total", "counter", "Tokens drawn.", now.completion_tokens);
  return text;
}

}  // namespace rlhf::serving
