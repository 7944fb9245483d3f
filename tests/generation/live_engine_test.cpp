#include "rlhf/generation/live_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "rlhf/core/error.h"
#include "rlhf/generation/engine.h"
#include "tests/generation/tiny_model.h"

namespace rlhf::generation {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A request and everything that comes back.
struct Conversation {
  std::vector<data::Completion> completions;
  std::vector<std::string> streamed;
  std::vector<std::vector<TokenLogprob>> top;
  std::promise<std::string> done;  // the error, or nothing
  LiveEngine::Ticket ticket;

  void ask(LiveEngine& engine, LiveRequest request) {
    completions.resize(request.sampling.num);
    streamed.resize(request.sampling.num);
    request.on_token = [this](const LiveToken& token) {
      streamed[token.sample] += token.text;
      top.push_back(token.draw.top);
    };
    request.on_finish = [this, left = request.sampling.num](int sample, const data::Completion& completion) mutable {
      completions[sample] = completion;
      if (--left == 0) done.set_value("");
    };
    request.on_error = [this](const Error& error) { done.set_value(error.what()); };
    ticket = engine.submit(std::move(request));
  }

  void wait() {
    auto result = done.get_future();
    ASSERT_EQ(result.wait_for(60s), std::future_status::ready);
    EXPECT_EQ(result.get(), "");
  }
};

LiveRequest request_of(const TinyModel& tiny, const std::string& text, SamplingConfig sampling) {
  return {.prompt_id = text, .prompt = tiny.text.tokenizer.encode(text), .sampling = std::move(sampling)};
}

/// Until the engine has nothing left, at most a minute.
LiveStatus settled(const LiveEngine& engine) {
  for (int i = 0; i < 6000; ++i) {
    const auto status = engine.status();
    if (status.running + status.waiting == 0 && status.finished + status.cancelled == status.accepted) return status;
    std::this_thread::sleep_for(10ms);
  }
  ADD_FAILURE() << "the engine does not come to rest";
  return engine.status();
}

std::string some_text(int i) { return std::string("The quick brown fox jumps over the lazy dog. ").substr(i, 1 + (i * 7) % 40); }

class EveryFamilyLive : public testing::TestWithParam<const char*> {};

TEST_P(EveryFamilyLive, SixteenAtOnceAreEachAsAlone) {
  const auto tiny = tiny_model(GetParam());
  const LiveOptions options{.slots = 5, .piece = 4, .prefill_tokens = 12};
  const auto config = [](int i) {
    SamplingConfig sampling{.max_new_tokens = 8 + i, .greedy = i % 2 == 0, .temperature = 0.5 + 0.1 * i, .seed = std::uint64_t(i), .ignore_eos = true};
    if (i % 3 == 0) sampling.repetition_penalty = 1.2;
    if (i % 4 == 0) sampling.num = 3;
    if (i % 5 == 0) sampling.top_p = 0.8;
    return sampling;
  };
  std::vector<Conversation> together(16);
  {
    LiveEngine engine(*tiny.model, tiny.text, options);
    for (int i = 0; i < 16; ++i) together[i].ask(engine, request_of(tiny, some_text(i), config(i)));
    for (auto& each : together) each.wait();
  }
  LiveEngine engine(*tiny.model, tiny.text, options);
  for (int i = 0; i < 16; ++i) {
    SCOPED_TRACE(i);
    Conversation alone;
    alone.ask(engine, request_of(tiny, some_text(i), config(i)));
    alone.wait();
    const auto batch = generate(*tiny.model, tiny.text, std::vector{prompt_of(tiny, some_text(i), some_text(i))}, config(i));
    for (int sample = 0; sample < config(i).num; ++sample) {
      EXPECT_EQ(together[i].completions[sample].ids, alone.completions[sample].ids);
      EXPECT_EQ(together[i].completions[sample].raw_logprobs, alone.completions[sample].raw_logprobs);  // to the bit
      EXPECT_EQ(together[i].completions[sample].text, together[i].streamed[sample]);
      EXPECT_EQ(batch[sample].ids, alone.completions[sample].ids);  // the other way in, the same completion
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, EveryFamilyLive, testing::Values("llama_tied", "mistral", "gpt2"));

TEST(LiveEngine, ACancelledRequestMakesRoomAndSaysNothingMore) {
  const auto tiny = tiny_model("llama_tied");
  LiveEngine engine(*tiny.model, tiny.text, {.slots = 1, .queue = 3});
  const SamplingConfig forever{.max_new_tokens = 120, .ignore_eos = true};
  Conversation kept;
  {
    Conversation running, waiting;
    auto two = forever;
    two.num = 2;
    running.ask(engine, request_of(tiny, "one", two));
    waiting.ask(engine, request_of(tiny, "two", forever));
    kept.ask(engine, request_of(tiny, "three", {.max_new_tokens = 5, .ignore_eos = true}));
    running.ticket.cancel();
    waiting.ticket.cancel();
    kept.wait();
    EXPECT_LT(running.completions[0].ids.size() + running.completions[1].ids.size(), 240u);
    EXPECT_TRUE(waiting.completions[0].ids.empty());
    settled(engine);
  }
  const auto status = settled(engine);
  EXPECT_EQ(status.accepted, 3);
  EXPECT_EQ(status.finished, 1);
  EXPECT_EQ(status.cancelled, 2);
  EXPECT_EQ(kept.completions[0].ids.size(), 5u);
  Conversation again;  // and the places are free again
  auto four = forever;
  four.num = 4;
  again.ask(engine, request_of(tiny, "four", four));
  again.wait();
}

TEST(LiveEngine, RefusesWhatItCannotTake) {
  const auto tiny = tiny_model("llama_tied");  // context 128
  LiveEngine engine(*tiny.model, tiny.text, {.slots = 2, .queue = 1, .context = 100});
  const auto category = [&](LiveRequest request) {
    try {
      auto ticket = engine.submit(std::move(request));
    } catch (const Error& error) {
      return error.category();
    }
    return Category::failure;
  };
  EXPECT_EQ(engine.context(), 100);
  EXPECT_EQ(category(request_of(tiny, std::string(90, 'x'), {.max_new_tokens = 11})), Category::bad_data);
  EXPECT_EQ(category(request_of(tiny, "", {.max_new_tokens = 11})), Category::bad_data);
  EXPECT_EQ(category({.prompt = {1, 2, 9999}}), Category::bad_data);
  EXPECT_EQ(category(request_of(tiny, "x", {.temperature = -1})), Category::usage);
  EXPECT_EQ(category(request_of(tiny, "x", {.num = 4})), Category::resource);
  EXPECT_EQ(settled(engine).refused, 1);
  EXPECT_EQ(engine.status().accepted, 0);
}

TEST(LiveEngine, StreamedTextNeverHoldsTheBeginningOfAStopText) {
  const auto tiny = tiny_model("llama_tied");
  LiveEngine engine(*tiny.model, tiny.text);
  SamplingConfig sampling{.max_new_tokens = 60, .temperature = 0.7, .seed = 2, .ignore_eos = true};
  Conversation whole;
  whole.ask(engine, request_of(tiny, "Once upon a time", sampling));
  whole.wait();
  const auto& text = whole.completions[0].text;
  std::size_t at = 10;  // two ASCII characters in a row are two tokens here
  while (at + 2 < text.size() && !(std::isgraph(static_cast<unsigned char>(text[at])) && std::isgraph(static_cast<unsigned char>(text[at + 1])))) ++at;
  sampling.stop = {text.substr(at, 2), "never"};
  ASSERT_EQ(sampling.stop[0].size(), 2u);
  Conversation cut;
  cut.ask(engine, request_of(tiny, "Once upon a time", sampling));
  cut.wait();
  EXPECT_EQ(cut.completions[0].finish, data::FinishReason::stop);
  EXPECT_EQ(cut.completions[0].text, text.substr(0, text.find(sampling.stop[0])));
  EXPECT_EQ(cut.streamed[0], cut.completions[0].text);
}

TEST(LiveEngine, TopLogprobsAreThoseOfTheRowInOrder) {
  const auto tiny = tiny_model("llama_tied");
  LiveEngine engine(*tiny.model, tiny.text);
  auto request = request_of(tiny, "Once upon a time", {.max_new_tokens = 10, .greedy = true, .ignore_eos = true});
  request.top_logprobs = 4;
  Conversation asked;
  asked.ask(engine, std::move(request));
  asked.wait();
  ASSERT_EQ(asked.top.size(), 10u);
  for (std::size_t t = 0; t < 10; ++t) {
    ASSERT_EQ(asked.top[t].size(), 4u);
    EXPECT_EQ(asked.top[t][0].token, asked.completions[0].ids[t]);
    EXPECT_EQ(asked.top[t][0].logprob, asked.completions[0].raw_logprobs[t]);
    for (int i = 1; i < 4; ++i) EXPECT_LE(asked.top[t][i].logprob, asked.top[t][i - 1].logprob);
  }
}

TEST(LiveEngine, JsonIsWholeWhenItStops) {
  const auto tiny = tiny_model("llama_tied");
  LiveEngine engine(*tiny.model, tiny.text);
  const auto schema = nlohmann::ordered_json::parse(
      R"({"type":"object","properties":{"yes":{"type":"boolean"},"kind":{"enum":["a","b"]},"n":{"type":"integer"}},"required":["yes","kind","n"]})");
  const auto tokens = std::make_shared<const TokenBytes>(tiny.text);
  const auto format = std::make_shared<const JsonFormat>(JsonGrammar::from_schema(schema), tokens);
  const auto free = std::make_shared<const JsonFormat>(JsonGrammar::any_object(), tokens);
  int whole = 0;
  for (const auto& form : {format, free}) {
    auto request = request_of(tiny, "An object: ", {.max_new_tokens = 100, .temperature = 1.5, .num = 16, .seed = 3});
    request.format = form;
    Conversation asked;
    asked.ask(engine, std::move(request));
    asked.wait();
    for (const auto& completion : asked.completions) {
      if (completion.finish != data::FinishReason::stop) continue;
      ++whole;
      ASSERT_TRUE(nlohmann::json::accept(completion.text)) << completion.text;
      const auto value = nlohmann::json::parse(completion.text);
      if (form == format) EXPECT_TRUE(value["yes"].is_boolean() && value["n"].is_number_integer() && value["kind"].is_string());
      EXPECT_TRUE(value.is_object());
    }
  }
  EXPECT_GT(whole, 8);
}

TEST(LiveEngine, WorkRunsBetweenStepsAndItsErrorsComeBack) {
  const auto tiny = tiny_model("llama_tied");
  LiveEngine engine(*tiny.model, tiny.text);
  std::thread::id where;
  engine.between_steps([&] { where = std::this_thread::get_id(); }).get();
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_THROW(engine.between_steps([] { throw Error({.where = "here", .what = "broken"}); }).get(), Error);
}

TEST(LiveEngine, WhoIsLeftWhenItStopsIsTold) {
  const auto tiny = tiny_model("llama_tied");
  Conversation left;
  {
    LiveEngine engine(*tiny.model, tiny.text, {.slots = 1});
    left.ask(engine, request_of(tiny, "x", {.max_new_tokens = 120, .num = 60, .ignore_eos = true}));
  }
  EXPECT_THAT(left.done.get_future().get(), HasSubstr("stopping"));
}

}  // namespace
}  // namespace rlhf::generation
