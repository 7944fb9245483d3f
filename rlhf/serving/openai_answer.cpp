#include "rlhf/serving/openai_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>

namespace rlhf::serving {
namespace {

using nlohmann::json;

std::string new_id(bool chat) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{}-{:016x}", chat ? "chatcmpl" : "cmpl", random());
}

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

const char* reason_of(const data::Completion& completion) { return completion.finish == data::FinishReason::stop ? "stop" : "length"; }

/// Bytes that are no UTF-8 (a token may be half a character) become U+FFFD.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::size_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

double mean(const std::vector<float>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

CompletionAnswer::CompletionAnswer(CompletionRequest request, const ServedModel& model, generation::LiveEngine& engine, ChoiceScores scores)
    : request_(std::move(request)), model_(model), engine_(engine), scores_(std::move(scores)), id_(new_id(request_.chat)), created_(unix_seconds()) {
  choices_.resize(request_.prompts.size() * request_.sampling.num);
}

void CompletionAnswer::begin() {
  std::vector<generation::LiveEngine::Ticket> tickets;  // an error half-way cancels those before it
  for (std::size_t i = 0; i < request_.prompts.size(); ++i) {
    generation::LiveRequest asked{.prompt_id = std::to_string(i),
                                  .prompt = request_.prompts[i],
                                  .sampling = request_.sampling,
                                  .format = request_.format,
                                  .top_logprobs = request_.top_logprobs};
    const auto first = i * static_cast<std::size_t>(request_.sampling.num);
    // Weak: once nobody waits for the answer, the tickets go and with them the work.
    asked.on_token = [weak = weak_from_this(), first](const generation::LiveToken& token) {
      if (const auto self = weak.lock()) self->draw(first + token.sample, token);
    };
    asked.on_finish = [weak = weak_from_this(), first](int sample, const data::Completion& completion) {
      if (const auto self = weak.lock()) self->finish(first + sample, completion);
    };
    asked.on_error = [weak = weak_from_this()](const Error& error) {
      if (const auto self = weak.lock()) self->fail(error);
    };
    tickets.push_back(engine_.submit(std::move(asked)));
  }
  const std::lock_guard lock(mutex_);
  tickets_ = std::move(tickets);
}

Response CompletionAnswer::response() {
  auto write = [self = shared_from_this()](std::shared_ptr<Stream> stream) { self->attach(std::move(stream)); };
  if (request_.stream) return Response::events(std::move(write));
  // A stream too, of one piece: it notices a client that hangs up, and keeps no worker waiting.
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.stream = std::move(write);
  return response;
}

void CompletionAnswer::attach(std::shared_ptr<Stream> stream) {
  {
    const std::lock_guard lock(mutex_);
    stream->try_write(std::exchange(waiting_, {}));
    if (closed_) return stream->close();
    stream_ = stream;
    self_ = shared_from_this();
  }
  stream->on_disconnect([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->abandon();
  });
}

void CompletionAnswer::abandon() {
  std::shared_ptr<CompletionAnswer> self;  // outlives the lock
  const std::lock_guard lock(mutex_);
  tickets_.clear();
  stream_.reset();
  closed_ = true;
  self = std::move(self_);
}

void CompletionAnswer::draw(std::size_t index, const generation::LiveToken& token) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  auto& choice = choices_[index];
  choice.text += token.text;
  if (request_.logprobs || request_.return_token_ids) choice.drawn.push_back({token.draw.token, token.draw.raw_logprob, token.draw.top});
  if (request_.stream && !choice.text.empty()) send_chunk(index, nullptr);
}

void CompletionAnswer::finish(std::size_t index, const data::Completion& completion) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  choices_[index].completion = completion;
  if (request_.stream) send_chunk(index, reason_of(completion));
  if (++ended_ < choices_.size()) return;
  if (request_.sampling.num == request_.choices) return complete();
  // Scoring is work for the engine's thread, but not for the step in which this was called.
  engine_.between_steps([self = shared_from_this()] { self->choose(); });
}

/// Ranks each prompt's samples: by score where there is a reward model, by mean logprob otherwise.
void CompletionAnswer::choose() {
  try {
    std::vector<TokenIds> prompts;
    std::vector<data::Completion> completions;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      prompts.push_back(request_.prompts[prompt_of(i)]);
      completions.push_back(choices_[i].completion);
    }
    const auto scores = scores_ ? scores_(prompts, completions) : std::vector<double>();
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < choices_.size(); ++i) choices_[i].score = scores_ ? scores[i] : mean(completions[i].raw_logprobs);
    if (!closed_) complete();
  } catch (const Error& error) {
    fail(error);
  }
}

/// The end of the answer; all completions are there.
void CompletionAnswer::complete() {
  if (request_.stream) {
    if (request_.include_usage) {
      auto last = envelope(true);
      last["choices"] = json::array();
      last["usage"] = usage();
      send_event(last);
    }
    put("data: [DONE]\n\n");
    return close();
  }
  auto answer = envelope(false);
  answer["choices"] = json::array();
  const auto num = static_cast<std::size_t>(request_.sampling.num);
  for (std::size_t prompt = 0; prompt < request_.prompts.size(); ++prompt) {
    std::vector<std::size_t> order(num);
    std::iota(order.begin(), order.end(), prompt * num);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return choices_[a].score > choices_[b].score; });
    order.resize(request_.choices);
    for (const auto index : order) answer["choices"].push_back(choice_json(index, answer["choices"].size()));
  }
  if (request_.chat && request_.return_token_ids) answer["prompt_token_ids"] = request_.prompts[0];
  answer["usage"] = usage();
  put(dump(answer));
  close();
}

void CompletionAnswer::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  // The head of the answer has gone out as 200: what is left is to say it in the body.
  const auto body = api_error(error).body();
  if (request_.stream) send_event(body);
  else put(dump(body));
  close();
}

void CompletionAnswer::send_chunk(std::size_t index, const char* finish_reason) {
  auto& choice = choices_[index];
  if (request_.chat && !std::exchange(choice.opened, true)) {
    auto first = envelope(true);
    first["choices"] = {{{"index", index}, {"delta", {{"role", "assistant"}, {"content", ""}}}, {"logprobs", nullptr}, {"finish_reason", nullptr}}};
    if (request_.return_token_ids) first["prompt_token_ids"] = request_.prompts[prompt_of(index)];
    send_event(first);
  }
  json part = {{"index", index}, {"logprobs", nullptr}, {"finish_reason", finish_reason == nullptr ? json() : json(finish_reason)}};
  if (request_.chat) part["delta"] = choice.text.empty() ? json::object() : json{{"content", choice.text}};
  else part["text"] = choice.text;
  if (request_.logprobs && !choice.drawn.empty()) part["logprobs"] = logprobs_json(choice);
  if (request_.return_token_ids) {
    part["token_ids"] = json::array();
    for (const auto& drawn : choice.drawn) part["token_ids"].push_back(drawn.id);
    if (!request_.chat && !std::exchange(choice.opened, true)) part["prompt_token_ids"] = request_.prompts[prompt_of(index)];
  }
  choice.text.clear();
  choice.drawn.clear();
  auto chunk = envelope(true);
  chunk["choices"] = json::array({std::move(part)});
  if (request_.include_usage) chunk["usage"] = nullptr;
  send_event(chunk);
}

void CompletionAnswer::send_event(const json& event) { put(event_text(dump(event))); }

/// Never waits: the engine has others to serve. Whoever reads so slowly that a stream's buffer is full is given up.
void CompletionAnswer::put(const std::string& bytes) {
  if (closed_) return;
  if (!stream_) {
    waiting_ += bytes;
  } else if (!stream_->try_write(bytes)) {
    tickets_.clear();
    close();
  }
}

/// The caller holds the lock and a pointer to this.
void CompletionAnswer::close() {
  closed_ = true;
  if (stream_) stream_->close();
  stream_.reset();
  self_.reset();
}

json CompletionAnswer::envelope(bool chunk) const {
  return {{"id", id_},
          {"object", request_.chat ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion"},
          {"created", created_},
          {"model", model_.name}};
}

json CompletionAnswer::choice_json(std::size_t index, std::size_t place) {
  auto& choice = choices_[index];
  json made = {{"index", place}, {"finish_reason", reason_of(choice.completion)}, {"logprobs", nullptr}};
  if (request_.chat) made["message"] = {{"role", "assistant"}, {"content", choice.completion.text}, {"refusal", nullptr}};
  else made["text"] = choice.completion.text;
  if (request_.logprobs) made["logprobs"] = logprobs_json(choice);
  if (request_.sampling.num > request_.choices) made["score"] = choice.score;
  if (request_.return_token_ids) {
    made["token_ids"] = choice.completion.ids;
    made["prompt_token_ids"] = request_.prompts[prompt_of(index)];
  }
  return made;
}

/// Of the tokens in `drawn`. All logprobs are the model's own: temperature 1, whole vocabulary.
json CompletionAnswer::logprobs_json(Choice& choice) const {
  if (request_.chat) {
    auto content = json::array();
    for (const auto& drawn : choice.drawn) {
      auto entry = token_json(drawn.id, drawn.logprob);
      entry["top_logprobs"] = json::array();
      for (const auto& each : drawn.top) entry["top_logprobs"].push_back(token_json(each.token, each.logprob));
      content.push_back(std::move(entry));
    }
    return {{"content", std::move(content)}, {"refusal", nullptr}};
  }
  json made = {{"tokens", json::array()}, {"token_logprobs", json::array()}, {"top_logprobs", json::array()}, {"text_offset", json::array()}};
  for (const auto& drawn : choice.drawn) {
    const auto text = token_text(drawn.id);
    auto top = json::object();
    for (const auto& each : drawn.top) top[token_text(each.token)] = each.logprob;
    made["tokens"].push_back(text);
    made["token_logprobs"].push_back(drawn.logprob);
    made["top_logprobs"].push_back(std::move(top));
    made["text_offset"].push_back(choice.text_offset);
    choice.text_offset += characters(text);
  }
  return made;
}

std::string CompletionAnswer::token_text(TokenId id) const {
  const auto& tokenizer = model_.text->tokenizer;
  if (id >= tokenizer.size()) return "";
  return tokenizer.is_special(id) ? tokenizer.token(id) : tokenizer.token_bytes(id);
}

json CompletionAnswer::token_json(TokenId id, float logprob) const {
  const auto text = token_text(id);
  auto bytes = json::array();
  for (const unsigned char byte : text) bytes.push_back(byte);
  return {{"token", text}, {"logprob", logprob}, {"bytes", std::move(bytes)}};
}

json CompletionAnswer::usage() const {
  std::size_t prompt_tokens = 0, completion_tokens = 0;
  for (const auto& prompt : request_.prompts) prompt_tokens += prompt.size();
  for (const auto& choice : choices_) completion_tokens += choice.completion.ids.size();
  return {{"prompt_tokens", prompt_tokens}, {"completion_tokens", completion_tokens}, {"total_tokens", prompt_tokens + completion_tokens}};
}

}  // namespace rlhf::serving
