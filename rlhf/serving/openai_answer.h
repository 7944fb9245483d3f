#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "rlhf/generation/live_engine.h"
#include "rlhf/serving/openai_request.h"
#include "rlhf/serving/stream.h"

namespace rlhf::serving {

/// Scores completions[i] of prompts[i]; higher is better. Runs on the engine's thread.
using ChoiceScores = std::function<std::vector<double>(std::span<const TokenIds> prompts, std::span<const data::Completion> completions)>;

/// The answer to one request for completions, from the first token to the last byte: collects what the engine draws and
/// writes it as JSON or as events. It lives until it is through, or until its client has gone: then the engine is told.
class CompletionAnswer : public std::enable_shared_from_this<CompletionAnswer> {
 public:
  CompletionAnswer(CompletionRequest request, const ServedModel& model, generation::LiveEngine& engine, ChoiceScores scores);

  /// Hands the prompts to the engine. Throws rlhf::Error as LiveEngine::submit does; nothing is then under way.
  void begin();

  /// What the handler returns; once, after begin().
  Response response();

 private:
  struct Drawn {
    TokenId id;
    float logprob;
    std::vector<generation::TokenLogprob> top;
  };
  struct Choice {
    std::string text;          // not sent yet
    std::vector<Drawn> drawn;  // not sent yet
    data::Completion completion;
    std::size_t text_offset = 0;
    double score = 0;
    bool opened = false;
  };

  void draw(std::size_t choice, const generation::LiveToken& token);
  void finish(std::size_t choice, const data::Completion& completion);
  void fail(const Error& error);
  void attach(std::shared_ptr<Stream> stream);
  void abandon();

  void choose();
  void complete();
  void send_chunk(std::size_t index, const char* finish_reason);
  void send_event(const nlohmann::json& event);
  void put(const std::string& bytes);
  void close();

  nlohmann::json envelope(bool chunk) const;
  nlohmann::json choice_json(std::size_t index, std::size_t place);
  nlohmann::json logprobs_json(Choice& choice) const;
  nlohmann::json usage() const;
  std::string token_text(TokenId id) const;
  nlohmann::json token_json(TokenId id, float logprob) const;
  std::size_t prompt_of(std::size_t choice) const { return choice / static_cast<std::size_t>(request_.sampling.num); }

  const CompletionRequest request_;
  const ServedModel& model_;
  generation::LiveEngine& engine_;
  ChoiceScores scores_;
  std::string id_;
  std::int64_t created_;

  std::mutex mutex_;  // the engine's thread draws, an I/O thread attaches and hangs up
  std::vector<generation::LiveEngine::Ticket> tickets_;
  std::vector<Choice> choices_;  // by prompt, then sample
  std::size_t ended_ = 0;
  std::string waiting_;          // bytes from before the stream was there
  std::shared_ptr<Stream> stream_;
  std::shared_ptr<CompletionAnswer> self_;  // while somebody waits for it
  bool closed_ = false;
};

}  // namespace rlhf::serving
