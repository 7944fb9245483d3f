#pragma once
#include <memory>
#include <string>

#include "rlhf/generation/live_engine.h"
#include "rlhf/models/model_files.h"
#include "rlhf/serving/openai_request.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

struct OpenAiOptions {
  std::string name;                                    // what clients call the model
  std::string reward_name;                             // and the reward model
  const models::LoadedModel* reward_model = nullptr;   // chooses among best_of completions, answers /v1/score
  generation::LiveOptions engine;
};

/// A model behind OpenAI's API:
///
///   GET  /v1/models, /v1/models/{name...}
///   POST /v1/completions, /v1/chat/completions    see openai_request.h
///   POST /v1/score                                {"data": [{"prompt", "completion"}, ...]} -> a number for each row: the reward
///                                                 model's score, or the sum of logprobs; texts, messages or token ids
///   POST /tokenize, /detokenize                   {"prompt"} or {"messages"} -> {"tokens"}; {"tokens"} -> {"prompt"}
///
/// Errors have OpenAI's shape. Logprobs are the model's own (temperature 1, whole vocabulary). docs/http_api.md says more.
class OpenAiApi {
 public:
  /// `loaded` and the reward model have to outlive it. Throws rlhf::Error (usage) when the reward model is none, or has
  /// another tokenizer: token ids are never encoded twice.
  OpenAiApi(const models::LoadedModel& loaded, OpenAiOptions options);
  ~OpenAiApi();

  /// The object has to outlive the router's server.
  void add_routes(Router& router);

  /// For a server's /metrics, in Prometheus' text format.
  std::string metrics() const;

  generation::LiveEngine& engine();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rlhf::serving
