#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/randn.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "rlhf/models/adapter_files.h"
#include "rlhf/models/batch.h"
#include "rlhf/models/lora.h"
#include "rlhf/models/model_files.h"
#include "tests/app/program.h"

namespace rlhf::app {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<json> rows(const Outcome& outcome) {
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  std::vector<json> parsed;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) parsed.push_back(json::parse(line));
  return parsed;
}

const std::string model = tiny("llama_tied");

TEST(Generate, WritesRowsInOrderAndKeepsColumns) {
  const std::string input =
      "{\"prompt\": \"Once upon\", \"source\": \"book\", \"sample\": \"mine\"}\n"
      "{\"prompt\": \"x\"}\n";
  const auto made = rows(run({"generate", "--model", model, "--prompts", "-", "--num", "2", "--max-new-tokens", "6", "--seed", "4"}, input));
  ASSERT_EQ(made.size(), 4u);
  EXPECT_EQ(made[0]["prompt"], "Once upon");
  EXPECT_EQ(made[1]["prompt"], "Once upon");
  EXPECT_EQ(made[3]["prompt"], "x");
  EXPECT_EQ(made[1]["sample"], 1);
  EXPECT_EQ(made[0]["source"], "book");
  EXPECT_EQ(made[0]["row"]["sample"], "mine");  // its name is needed for ours
  EXPECT_FALSE(made[3].contains("row"));
  for (const auto& row : made) {
    EXPECT_EQ(row["ids"].size(), row["logprobs"].size());
    EXPECT_THAT(row["finish_reason"].get<std::string>(), testing::AnyOf("stop", "length"));
    EXPECT_TRUE(row["completion"].is_string());
  }
  const auto plain = rows(run({"generate", "--model", model, "--prompt", "x", "--no-logprobs"}));
  EXPECT_FALSE(plain[0].contains("logprobs"));
}

TEST(Generate, StringsAreRawTextAndMessageListsGoThroughTheTemplate) {
  const Arguments call{"generate", "--model", model, "--prompts", "-", "--greedy", "--max-new-tokens", "8", "--ignore-eos"};
  const auto raw = rows(run(call, "{\"prompt\": \"<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n\"}\n"));
  const auto chat = rows(run(call, "{\"prompt\": [{\"role\": \"user\", \"content\": \"Hi\"}]}\n"));
  EXPECT_EQ(raw[0]["ids"], chat[0]["ids"]);
  EXPECT_EQ(chat[0]["prompt"][0]["content"], "Hi");
  EXPECT_NE(rows(run(call, "{\"prompt\": \"Hi\"}\n"))[0]["ids"], chat[0]["ids"]);
}

TEST(Generate, ThreadsAndSlotsChangeNothing) {
  const std::string input = "{\"prompt\": \"a\"}\n{\"prompt\": \"bcd\"}\n{\"prompt\": \"efghi\"}\n";
  const Arguments call{"generate", "--model", model, "--prompts", "-", "--num", "3", "--max-new-tokens", "10", "--top-p", "0.9", "--no-logprobs"};
  auto other = call;
  for (const auto* word : {"--slots", "2", "--threads", "2"}) other.push_back(word);
  EXPECT_EQ(run(call, input).output, run(other, input).output);
}

TEST(Score, LogprobOfGeneratedRowsIsTheSumOfTheirLogprobs) {
  const auto generated = run({"generate", "--model", model, "--prompts", "-", "--num", "3", "--max-new-tokens", "12"},
                             "{\"prompt\": \"Once upon\", \"id\": \"a\"}\n{\"prompt\": \"x\", \"id\": \"b\"}\n");
  const auto scored = rows(run({"score", "--model", model, "--data", "-"}, generated.output));
  const auto before = rows(generated);
  ASSERT_EQ(scored.size(), before.size());
  for (std::size_t i = 0; i < scored.size(); ++i) {
    double sum = 0;
    for (const auto& logprob : before[i]["logprobs"]) sum += logprob.get<double>();
    EXPECT_NEAR(scored[i]["logprob"].get<double>(), sum, 1e-4);
    EXPECT_EQ(scored[i]["id"], before[i]["id"]);
  }
}

TEST(Score, ARewardModelsHeadReadsTheLastToken) {
  auto loaded = models::load_model(model);
  const models::ScalarHead head{.weight = at::randn({1, loaded.model->shape().width})};
  const auto folder = scratch_folder("reward_model");
  models::save_hf(folder, *loaded.model, loaded.text, {.score = head});
  const auto scored = rows(run({"score", "--model", folder, "--data", "-", "--batch-tokens", "1"},
                               "{\"prompt\": \"ab\", \"completion\": \"cd\"}\n{\"prompt\": \"x\", \"completion\": \"longer text\"}\n"));
  auto ids = loaded.text.tokenizer.encode("abcd");
  ids.push_back(loaded.text.special.stop.front());
  const auto expected = head.apply(loaded.model->forward(models::pack({&ids, 1})).slice(0, -1)).item<double>();
  EXPECT_NEAR(scored.at(0)["score"].get<double>(), expected, 1e-4);
  EXPECT_FALSE(scored[0].contains("logprob"));
}

TEST(Chat, PipedLinesAreTurns) {
  const auto outcome = run({"chat", model, "--max-new-tokens", "5", "--system", "Be kind."}, "hello\n/history\n/reset\n/history\n/quit\nnever read\n");
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, testing::AllOf(HasSubstr("user: hello\nassistant: "), HasSubstr("system: Be kind.\n")));
  EXPECT_EQ(outcome.output.find("user: hello"), outcome.output.rfind("user: hello"));
  EXPECT_THAT(outcome.output, testing::Not(HasSubstr("never read")));
  const auto replies = rows(run({"chat", model, "--max-new-tokens", "5", "--json"}, "one\ntwo\n"));
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[1]["role"], "assistant");
}

TEST(Inspect, TokensShowsEveryToken) {
  const auto outcome = run({"inspect", "tokens", model, "a\n<|end|>"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, testing::AllOf(HasSubstr("|a|"), HasSubstr("|\\n|"), HasSubstr("257  |<|end|>|  stop")));
  EXPECT_THAT(rows(run({"inspect", "tokens", model, "--json"}, "ab"))[0]["ids"].get<std::vector<int>>(), ElementsAre(97, 98));
}

TEST(Inspect, TemplateTellsWhetherTheModelWouldLearnToStop) {
  const auto outcome = run({"inspect", "template", model});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, testing::AllOf(HasSubstr("<|im_start|>user\nWhat is 2 + 2?"), HasSubstr("stop token")));
  EXPECT_EQ(run({"inspect", "template", tiny("gpt2")}).code, 3);
}

TEST(Plan, CountsTheParametersOfEveryFamily) {
  for (const auto* family : {"llama_tied", "llama_untied", "llama_rope_linear", "qwen2", "qwen3", "mistral", "gpt2"}) {
    const auto loaded = json::parse(run({"inspect", "model", tiny(family), "--json"}).output);
    const auto planned = json::parse(run({"plan", tiny(family), "--json"}).output);
    EXPECT_EQ(planned["parameters"], loaded["parameters"]) << family;
    EXPECT_EQ(planned["parts"]["weights"], 4 * loaded["parameters"].get<std::int64_t>());
  }
}

TEST(Plan, AnAdapterNeedsNoReferenceAndFewGradients) {
  const auto parts = [&](const Arguments& more) {
    Arguments arguments{"plan", model, "--algorithm", "ppo", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(run(arguments).output)["parts"];
  };
  const auto adapter = parts({}), full = parts({"--no-lora-on"});
  EXPECT_FALSE(adapter.contains("reference"));
  EXPECT_EQ(full["reference"], full["weights"]);
  EXPECT_LT(parts({"--recompute"})["activations"], adapter["activations"]);
  EXPECT_TRUE(adapter.contains("cache"));
}

TEST(Export, WrittenFilesSayWhatTheModelSays) {
  const auto folder = scratch_folder("export");
  const Arguments greedy{"--prompt", "Once upon", "--greedy", "--max-new-tokens", "10", "--ignore-eos", "--no-logprobs"};
  const auto says = [&](const std::string& path) {
    Arguments arguments{"generate", "--model", path};
    arguments.insert(arguments.end(), greedy.begin(), greedy.end());
    return rows(run(arguments)).at(0)["ids"];
  };
  ASSERT_EQ(run({"export", model, "--to", "hf", "--output", folder + "/hf"}).code, 0);
  EXPECT_EQ(says(folder + "/hf"), says(model));
  const auto gguf = run({"export", model, "--to", "gguf", "--dtype", "f32", "--output", folder + "/model.gguf"});
  ASSERT_EQ(gguf.code, 0) << gguf.errors;
  EXPECT_EQ(says(folder + "/model.gguf"), says(model));
  EXPECT_EQ(run({"export", model, "--to", "onnx", "--output", folder + "/x"}).code, 2);
  EXPECT_EQ(run({"export", model, "--to", "hf"}).code, 2);
}

TEST(Merge, TheMergedModelIsBaseAndAdapter) {
  const auto folder = scratch_folder("merge");
  auto loaded = models::load_model(model);
  const models::LoraConfig config;
  models::attach_lora(*loaded.model, config, 3);
  for (auto& [path, layer] : loaded.model->linears()) {
    if (layer->lora) layer->lora->up.detach().fill_(0.02);
  }
  models::save_adapter(folder + "/adapter", *loaded.model, config, {.base = model});
  const auto outcome = run({"merge", folder + "/adapter", "--output", folder + "/merged"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const auto ids = [&](const std::string& path) {
    return rows(run({"generate", "--model", path, "--prompt", "ab", "--greedy", "--ignore-eos", "--max-new-tokens", "10"})).at(0)["ids"];
  };
  EXPECT_EQ(ids(folder + "/merged"), ids(folder + "/adapter"));
  EXPECT_EQ(run({"merge", model, "--output", folder + "/nothing"}).code, 2);
}

TEST(Selftest, DecodingIsTrainingForTinyModels) {
  for (const auto* family : {"llama_tied", "mistral", "gpt2"}) {
    const auto checks = rows(run({"selftest", tiny(family), "--lengths", "4,20", "--batches", "1,5", "--json"}));
    EXPECT_EQ(checks.size(), 7u);
  }
}

TEST(Doctor, SaysWhatIsThere) {
  const auto outcome = run({"doctor", "--model", model, "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  std::vector<std::string> subjects;
  for (const auto& finding : rows(outcome)) subjects.push_back(finding["subject"]);
  EXPECT_THAT(subjects, ElementsAre("release", "cpu", "threads", "allocator", "memory", "disk", "films", "model"));
}

}  // namespace
}  // namespace rlhf::app
