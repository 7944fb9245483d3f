#include "rlhf/generation/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/lora.h"
#include "tests/generation/tiny_model.h"

namespace rlhf::generation {
namespace {

using data::FinishReason;
using testing::HasSubstr;

std::vector<data::Prompt> some_prompts(const TinyModel& tiny) {
  return {prompt_of(tiny, "a", "Once upon a time"), prompt_of(tiny, "b", "x"), prompt_of(tiny, "c", "The quick brown fox"),
          prompt_of(tiny, "d", "Hello, "), prompt_of(tiny, "e", "1 + 1 ="), prompt_of(tiny, "f", "x")};
}

void expect_equal(const std::vector<data::Completion>& left, const std::vector<data::Completion>& right) {
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    SCOPED_TRACE(left[i].prompt_id + " " + std::to_string(left[i].sample));
    EXPECT_EQ(left[i].prompt_id, right[i].prompt_id);
    EXPECT_EQ(left[i].sample, right[i].sample);
    EXPECT_EQ(left[i].text, right[i].text);
    EXPECT_EQ(left[i].finish, right[i].finish);
    ASSERT_EQ(left[i].ids, right[i].ids);
    for (std::size_t t = 0; t < left[i].ids.size(); ++t) {
      EXPECT_NEAR(left[i].raw_logprobs[t], right[i].raw_logprobs[t], 1e-5);
      EXPECT_NEAR(left[i].sampled_logprobs[t], right[i].sampled_logprobs[t], 1e-5);
    }
  }
}

class EveryFamily : public testing::TestWithParam<const char*> {};

TEST_P(EveryFamily, GreedyContinuationsOfTransformers) {
  const auto tiny = tiny_model(GetParam());
  std::vector<data::Prompt> prompts;
  for (const auto& ids : tiny.golden["inputs"]) {
    prompts.push_back({});
    prompts.back().id = std::to_string(prompts.size());
    prompts.back().ids = ids.get<TokenIds>();
  }
  const auto completions = generate(*tiny.model, tiny.text, prompts, {.max_new_tokens = 12, .greedy = true, .ignore_eos = true});
  ASSERT_EQ(completions.size(), prompts.size());
  for (std::size_t i = 0; i < completions.size(); ++i) {
    EXPECT_EQ(completions[i].ids, tiny.golden["greedy"][i].get<TokenIds>());
    EXPECT_THAT(completions[i].sampled_logprobs, testing::Each(0.0f));
  }
}

TEST_P(EveryFamily, CachedLogprobsAreThoseOfOneFullForward) {
  const auto tiny = tiny_model(GetParam());
  const auto prompts = some_prompts(tiny);
  const SamplingConfig config{.max_new_tokens = 20, .temperature = 0.8, .num = 2, .seed = 3};
  const at::NoGradGuard no_gradients;
  for (const auto& completion : generate(*tiny.model, tiny.text, prompts, config)) {
    const auto& prompt = *std::find_if(prompts.begin(), prompts.end(), [&](auto& each) { return each.id == completion.prompt_id; });
    TokenIds all = prompt.ids;
    all.insert(all.end(), completion.ids.begin(), completion.ids.end());
    const auto logits = at::matmul(tiny.model->forward(models::pack({&all, 1})), tiny.model->output_weight().t());
    const auto raw = at::log_softmax(logits, -1), tempered = at::log_softmax(logits.div(0.8), -1);
    for (std::size_t t = 0; t < completion.ids.size(); ++t) {
      const auto row = static_cast<std::int64_t>(prompt.ids.size() + t) - 1;
      EXPECT_NEAR(completion.raw_logprobs[t], raw[row][completion.ids[t]].item<float>(), 3e-5);
      EXPECT_NEAR(completion.sampled_logprobs[t], tempered[row][completion.ids[t]].item<float>(), 3e-5);
    }
  }
}

TEST_P(EveryFamily, SlotsAndPassesChangeNothing) {
  const auto tiny = tiny_model(GetParam());
  const auto prompts = some_prompts(tiny);
  const SamplingConfig config{.max_new_tokens = 16, .top_p = 0.95, .num = 3, .seed = 11};
  const auto many = generate(*tiny.model, tiny.text, prompts, config);
  for (const std::int64_t slots : {1, 2, 5}) expect_equal(many, generate(*tiny.model, tiny.text, prompts, config, {.slots = slots}));
  expect_equal(many, generate(*tiny.model, tiny.text, prompts, config, {.slots = 7, .prefill_tokens = 1}));
  std::vector<data::Completion> one_by_one;
  for (const auto& prompt : prompts) {
    for (auto& completion : generate(*tiny.model, tiny.text, {&prompt, 1}, config, {.slots = 1})) one_by_one.push_back(completion);
  }
  expect_equal(many, one_by_one);
}

INSTANTIATE_TEST_SUITE_P(Families, EveryFamily, testing::Values("llama_tied", "llama_untied", "mistral", "gpt2"));

TEST(Engine, OrderIsPromptThenSampleAndDrawsDiffer) {
  const auto tiny = tiny_model("llama_tied");
  const auto prompts = some_prompts(tiny);
  const auto completions = generate(*tiny.model, tiny.text, prompts, {.max_new_tokens = 8, .num = 3}, {.policy_version = 9});
  ASSERT_EQ(completions.size(), 18u);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    EXPECT_EQ(completions[i].prompt_id, prompts[i / 3].id);
    EXPECT_EQ(completions[i].sample, int(i % 3));
    EXPECT_EQ(completions[i].policy_version, 9);
    EXPECT_EQ(completions[i].ids.size(), completions[i].raw_logprobs.size());
  }
  EXPECT_NE(completions[0].ids, completions[1].ids);
  EXPECT_NE(completions[3].ids, completions[15].ids);  // the same text under two prompt ids: two draws
  const auto next_version = generate(*tiny.model, tiny.text, prompts, {.max_new_tokens = 8, .num = 3}, {.policy_version = 10});
  EXPECT_NE(completions[0].ids, next_version[0].ids);
}

TEST(Engine, APromptIdThatComesAgainContinuesItsSamples) {
  const auto tiny = tiny_model("llama_tied");
  const auto prompt = prompt_of(tiny, "a", "Once");
  const std::vector<data::Prompt> twice{prompt, prompt};
  const SamplingConfig config{.max_new_tokens = 8};
  const auto completions = generate(*tiny.model, tiny.text, twice, config);
  EXPECT_EQ(completions[1].sample, 1);
  auto two = config;
  two.num = 2;
  expect_equal(completions, generate(*tiny.model, tiny.text, {&prompt, 1}, two));
}

TEST(Engine, StopTokenEndsACompletionAndStaysOutOfItsText) {
  const auto tiny = tiny_model("llama_tied");
  const auto prompts = some_prompts(tiny);
  const SamplingConfig free{.max_new_tokens = 30, .seed = 4, .ignore_eos = true};
  const auto whole = generate(*tiny.model, tiny.text, prompts, free);
  auto stopping = free;
  stopping.stop_ids = {whole[0].ids[5]};
  for (std::size_t i = 0; const auto& completion : generate(*tiny.model, tiny.text, prompts, stopping)) {
    const auto& ids = whole[i++].ids;
    const auto at = std::find(ids.begin(), ids.end(), stopping.stop_ids[0]);
    const auto length = std::min<std::size_t>(ids.size(), at - ids.begin() + 1);
    EXPECT_EQ(completion.ids, TokenIds(ids.begin(), ids.begin() + length));
    EXPECT_EQ(completion.finish, at == ids.end() ? FinishReason::length : FinishReason::stop);
    const auto shown = at == ids.end() ? length : length - 1;
    EXPECT_EQ(completion.text, tiny.text.tokenizer.decode(std::span(completion.ids).first(shown)));
  }
}

TEST(Engine, TheModelsOwnStopTokenCanBeIgnored) {
  const auto tiny = tiny_model("llama_tied");
  ASSERT_EQ(tiny.text.special.stop.front(), 257);
  std::vector<data::Prompt> prompts;
  for (int i = 0; i < 20; ++i) prompts.push_back(prompt_of(tiny, std::to_string(i), "abc"));
  SamplingConfig config{.max_new_tokens = 60, .temperature = 3};
  const auto stopped = [&] {
    int count = 0;
    for (const auto& completion : generate(*tiny.model, tiny.text, prompts, config)) {
      const bool stop = tiny.text.is_stop(completion.ids.back());
      EXPECT_EQ(completion.finish == FinishReason::stop, stop && !config.ignore_eos);
      EXPECT_TRUE(completion.finish == FinishReason::stop || completion.ids.size() == 60);
      count += completion.finish == FinishReason::stop;
    }
    return count;
  };
  EXPECT_GT(stopped(), 0);
  config.ignore_eos = true;
  EXPECT_EQ(stopped(), 0);
}

TEST(Engine, StopTextMaySpanTokens) {
  const auto tiny = tiny_model("llama_tied");
  const auto prompts = std::vector{prompt_of(tiny, "a", "Once upon a time")};
  SamplingConfig config{.max_new_tokens = 60, .temperature = 0.7, .seed = 2, .ignore_eos = true};
  const auto whole = generate(*tiny.model, tiny.text, prompts, config).front();
  // A token is a byte here: any two ASCII characters in a row are two tokens.
  std::size_t at = 10;
  while (at + 2 < whole.text.size() && !(std::isgraph(static_cast<unsigned char>(whole.text[at])) &&
                                         std::isgraph(static_cast<unsigned char>(whole.text[at + 1])))) ++at;
  const auto stop = whole.text.substr(at, 2);
  ASSERT_EQ(stop.size(), 2u);
  config.stop = {"never there", stop};
  const auto cut = generate(*tiny.model, tiny.text, prompts, config).front();
  EXPECT_EQ(cut.finish, FinishReason::stop);
  EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stop)));
  EXPECT_EQ(cut.ids, TokenIds(whole.ids.begin(), whole.ids.begin() + cut.ids.size()));  // ids keep what was sampled
  EXPECT_LT(cut.ids.size(), whole.ids.size());
  EXPECT_THAT(tiny.text.tokenizer.decode(cut.ids), HasSubstr(stop));
}

TEST(Engine, TextIsValidUtf8) {
  const auto tiny = tiny_model("llama_tied");
  // Bytes drawn at random are hardly ever UTF-8; nlohmann's writer throws for what is not.
  for (const auto& completion : generate(*tiny.model, tiny.text, some_prompts(tiny), {.max_new_tokens = 40, .temperature = 5})) {
    EXPECT_NO_THROW((void)nlohmann::json(completion.text).dump());
  }
}

TEST(Engine, ContextLimitIsAClearError) {
  const auto tiny = tiny_model("llama_tied");  // context 128
  const std::vector prompts{prompt_of(tiny, "long one", std::string(100, 'x'))};
  EXPECT_EQ(generate(*tiny.model, tiny.text, prompts, {.max_new_tokens = 28, .ignore_eos = true}).front().ids.size(), 28u);
  try {
    generate(*tiny.model, tiny.text, prompts, {.max_new_tokens = 29});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::bad_data);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("long one"), HasSubstr("128"), HasSubstr("max_new_tokens to 28")));
  }
  EXPECT_THROW(generate(*tiny.model, tiny.text, std::vector{prompt_of(tiny, "empty", "")}, {}), Error);
  EXPECT_TRUE(generate(*tiny.model, tiny.text, {}, {}).empty());
}

TEST(Engine, AdaptersCanBeLeftOut) {
  const auto tiny = tiny_model("llama_tied");
  const auto prompts = some_prompts(tiny);
  const SamplingConfig config{.max_new_tokens = 8};
  const auto plain = generate(*tiny.model, tiny.text, prompts, config);
  models::attach_lora(*tiny.model, {}, 1);
  for (auto& [path, layer] : tiny.model->linears()) {
    if (layer->lora) layer->lora->up.detach().fill_(0.05);
  }
  const auto adapted = generate(*tiny.model, tiny.text, prompts, config);
  EXPECT_NE(adapted[0].raw_logprobs, plain[0].raw_logprobs);
  expect_equal(plain, generate(*tiny.model, tiny.text, prompts, config, {.adapters = false}));
}

TEST(Engine, ProgressAndTokensAreReported) {
  const auto tiny = tiny_model("llama_tied");
  const auto prompts = some_prompts(tiny);
  std::map<std::pair<std::size_t, int>, TokenIds> streamed;
  GenerateProgress last;
  GenerateOptions options{.slots = 2};
  options.on_token = [&](std::size_t prompt, int sample, TokenId token) { streamed[{prompt, sample}].push_back(token); };
  options.progress = [&](const GenerateProgress& progress) {
    EXPECT_GE(progress.finished, last.finished);
    last = progress;
  };
  const auto completions = generate(*tiny.model, tiny.text, prompts, {.max_new_tokens = 10, .num = 2}, options);
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    EXPECT_EQ(streamed.at({i / 2, int(i % 2)}), completions[i].ids);
    tokens += std::ssize(completions[i].ids);
  }
  EXPECT_EQ(last.finished, 12);
  EXPECT_EQ(last.sequences, 12);
  EXPECT_EQ(last.tokens, tokens);
  options.progress = [](const GenerateProgress&) { throw std::runtime_error("enough"); };
  EXPECT_THROW(generate(*tiny.model, tiny.text, prompts, {}, options), std::runtime_error);
}

}  // namespace
}  // namespace rlhf::generation
