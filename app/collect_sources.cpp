#include "app/collect_sources.h"

#include <fmt/format.h>

#include <iostream>
#include <mutex>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/encode.h"
#include "rlhf/data/readers/jsonl.h"
#include "rlhf/feedback/question.h"
#include "rlhf/feedback/record.h"
#include "rlhf/generation/engine.h"
#include "rlhf/models/model_files.h"
#include "rlhf/rewards/vader.h"
#include "rlhf/text/stream_decoder.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

[[noreturn]] void bad_row(const std::string& where, std::string what) {
  throw Error({.category = Category::bad_data,
               .where = where,
               .what = std::move(what),
               .fix = R"(Write rows like {"prompt": "...", "completions": ["...", "..."]}.)"});
}

/// A text, or the content of the last message of a conversation.
std::string text_of(const json& value, const std::string& where) {
  if (value.is_string()) return value;
  if (value.is_array() && !value.empty() && value.back().is_object() && value.back().contains("content") &&
      value.back()["content"].is_string())
    return value.back()["content"];
  bad_row(where, "a text or a list of messages was expected, found " + value.dump().substr(0, 80));
}

std::vector<std::string> texts_of(const json& row, const std::string& where) {
  std::vector<std::string> texts;
  if (row.contains("completions") && row["completions"].is_array()) {
    for (const auto& each : row["completions"]) texts.push_back(text_of(each, where));
  } else if (row.contains("chosen") && row.contains("rejected")) {
    texts = {text_of(row["chosen"], where), text_of(row["rejected"], where)};
  } else if (row.contains("completion")) {
    texts = {text_of(row["completion"], where)};
  }
  return texts;
}

data::Prompt prompt_of(const json& row, const std::string& where) {
  if (!row.is_object() || !row.contains("prompt")) bad_row(where, "an object with `prompt` was expected");
  data::Prompt prompt;
  prompt.id = row.value("id", sha256(row["prompt"].dump()).substr(0, 16));
  prompt.row = row;
  if (row["prompt"].is_string()) {
    prompt.text = row["prompt"];
    return prompt;
  }
  if (!row["prompt"].is_array()) bad_row(where, "`prompt` has to be a text or a list of messages");
  for (const auto& each : row["prompt"]) {
    if (!each.is_object() || !each.contains("role") || !each.contains("content"))
      bad_row(where, "a message has `role` and `content`");
    prompt.messages.push_back({each["role"], each["content"], nullptr});
  }
  return prompt;
}

feedback::Form form_of(const QuestionSource& source, std::size_t items) {
  if (!source.form_file.empty()) return feedback::read_form(source.form_file);
  if (!source.form.empty()) return feedback::builtin_form(source.form);
  return feedback::builtin_form(items == 0   ? "demonstration"
                                : items == 1 ? "rating"
                                : items == 2 ? "pair"
                                             : "best_of_n");
}

/// {"best": 1}, or a whole answer as docs/http_api.md has it, with items in the file's order.
feedback::Answer gold_of(const json& row, const std::string& where) {
  if (row.is_object() && row.contains("best")) return feedback::Comparison{.best = row["best"].get<std::int64_t>()};
  auto record = row;
  record["version"] = feedback::record_version;
  return feedback::answer_from_json(record, where);
}

feedback::Question question_of(const QuestionSource& source, const json& row, const std::string& where) {
  if (row.is_object() && row.contains("version") && row.contains("items")) return feedback::question_from_json(row, where);
  auto prompt = prompt_of(row, where);
  const auto texts = texts_of(row, where);
  std::vector<data::Completion> completions(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    completions[i].text = texts[i];
    completions[i].sample = static_cast<int>(i);
  }
  const feedback::Origin origin{
      .run = "file", .stage = sha256(row.dump()).substr(0, 12), .seed = source.seed, .heldout_share = source.heldout};
  auto question = feedback::ask_with(origin, form_of(source, texts.size()), prompt, completions);
  question.answers = static_cast<int>(row.value("answers", source.answers));
  question.priority = row.value("priority", 0.0);
  question.target = row.value("target", "");
  question.round = row.value("round", "");
  question.explanation = row.value("explanation", "");
  if (row.contains("gold")) question.gold = std::make_shared<const feedback::Answer>(gold_of(row["gold"], where));
  for (std::size_t i = 0; row.contains("clips") && i < question.items.size(); ++i)
    question.items[i].clip = row["clips"].at(i);
  for (std::size_t i = 0; row.contains("quotes") && i < question.items.size(); ++i) {
    for (const auto& quote : row["quotes"].at(i))
      question.items[i].quotes.push_back({quote.value("title", ""), quote.value("text", "")});
  }
  for (const auto& hint : row.value("hints", json::array()))
    question.hints.push_back({hint.at("text"), hint.value("item", 0), hint.value("begin", 0), hint.value("end", 0)});
  return question;
}

std::int64_t publish_rows(feedback::Store& store, const QuestionSource& source, data::JsonlReader reader) {
  std::vector<feedback::Question> batch;
  std::int64_t added = 0;
  while (const auto row = reader.next()) {
    try {
      batch.push_back(question_of(source, row->value, row->where));
      feedback::validate(batch.back());
    } catch (const json::exception& error) {
      bad_row(row->where, std::string("a value has the wrong type: ") + error.what());
    }
    if (batch.size() == 1000) added += store.publish(std::exchange(batch, {}));
  }
  return added + store.publish(batch);
}

}  // namespace

void QuestionSource::fields(Fields& f) {
  f.field("questions", questions, "JSONL with prompt and completions (or chosen and rejected, or completion)");
  f.field("form", form,
          "page that asks: pair, pair_strength, ranking, summary_axes, webgpt, ... (docs/forms.md); default: by the "
          "number of items");
  f.field("form_file", form_file, "a form of your own, TOML (docs/forms.md)");
  f.field("answers", answers, "annotators wanted for a question");
  f.field("heldout", heldout, "share of prompts whose answers test a reward model instead of training it");
  f.field("model", model, "model that answers in conversations and to prompts");
  f.field("prompts", prompts, "JSONL with `prompt`: questions are asked on the model's own completions");
  f.field("items", items, "completions a question shows");
  f.field("open", open, "questions on the model's completions that wait at any time");
  f.field("max_new_tokens", max_new_tokens, "of a completion");
  f.field("temperature", temperature, "of the model");
  f.field("seed", seed, "of samples, order and split");
}

void QuestionSource::validate() const {
  const auto require = [](bool holds, const char* where, const char* what) {
    if (!holds) throw Error({.category = Category::usage, .where = where, .what = what, .fix = ""});
  };
  require(answers >= 1, "answers", "at least 1 was expected");
  require(heldout >= 0 && heldout < 1, "heldout", "a share from 0 to below 1 was expected");
  require(items >= 1 && items <= 16, "items", "1 to 16 were expected");
  require(prompts.empty() || !model.empty(), "prompts", "prompts need a model that completes them");
  if (!form.empty()) feedback::builtin_form(form);
}

std::int64_t add_questions(feedback::Store& store, const QuestionSource& source, const std::string& rows,
                           const std::string& where) {
  return publish_rows(store, source, data::JsonlReader::from_text(rows, where));
}

std::int64_t add_questions_of_file(feedback::Store& store, const QuestionSource& source) {
  if (source.questions.empty()) return 0;
  return publish_rows(store, source, data::JsonlReader::open(source.questions));
}

feedback::GoldFn simulated_gold(const std::string& name) {
  if (name == "length")
    return [](const std::string&, const std::string& completion) { return static_cast<double>(completion.size()); };
  if (name == "vader") {
    const auto vader = std::make_shared<rewards::Vader>(rewards::Vader::load_packaged());
    return [vader](const std::string&, const std::string& completion) { return vader->compound(completion); };
  }
  throw Error({.category = Category::usage,
               .where = "simulate",
               .what = "there is no simulated annotator \"" + name + "\"",
               .fix = "vader or length."});
}

struct ModelSource::State {
  feedback::Store& store;
  QuestionSource source;
  models::LoadedModel loaded;
  std::mutex model;  // one generation at a time
  std::atomic<bool> over{false};
  std::thread thread;

  ~State() {
    over = true;
    if (thread.joinable()) thread.join();
  }

  generation::SamplingConfig sampling(std::int64_t num, std::uint64_t seed) const {
    generation::SamplingConfig config;
    config.max_new_tokens = source.max_new_tokens;
    config.temperature = source.temperature;
    config.num = num;
    config.seed = seed;
    return config;
  }

  void ask();
  std::vector<feedback::Item> reply(const std::vector<data::Message>& messages, data::Prompt& prompt,
                                    const std::function<void(int, std::string_view)>& piece,
                                    const std::function<bool()>& going_on);
};

/// Keeps some questions open: as they are answered, new ones are asked.
void ModelSource::State::ask() {
  auto reader = data::JsonlReader::open(source.prompts);
  while (const auto row = reader.next()) {
    while (!over && store.counts().open >= source.open) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (over) return;
    auto prompt = prompt_of(row->value, row->where);
    data::encode_prompt(prompt, loaded.text);
    const std::lock_guard guard(model);
    const auto completions =
        generation::generate(*loaded.model, loaded.text, {&prompt, 1}, sampling(source.items, source.seed));
    const feedback::Origin origin{
        .run = "collect", .stage = "prompts", .seed = source.seed, .heldout_share = source.heldout};
    auto question = feedback::ask_with(origin, form_of(source, completions.size()), prompt, completions);
    question.answers = static_cast<int>(source.answers);
    store.publish(question);
  }
}

/// Two replies, streamed side by side. The seed is a function of the conversation: asked again, they are the same.
std::vector<feedback::Item> ModelSource::State::reply(const std::vector<data::Message>& messages, data::Prompt& prompt,
                                                      const std::function<void(int, std::string_view)>& piece,
                                                      const std::function<bool()>& going_on) {
  auto turns = json::array();
  for (const auto& each : messages) turns.push_back({{"role", each.role}, {"content", each.content}});
  prompt.id = sha256(turns.dump()).substr(0, 16);
  data::encode_prompt(prompt, loaded.text);
  std::vector<text::StreamDecoder> decoders(2, text::StreamDecoder(loaded.text.tokenizer));
  generation::GenerateOptions options;
  options.on_token = [&](std::size_t, int sample, TokenId token) {
    if (!loaded.text.is_stop(token)) piece(sample, decoders[static_cast<std::size_t>(sample)].push(token));
  };
  struct Gone {};
  options.progress = [&](const generation::GenerateProgress&) {
    if (!going_on() || over) throw Gone{};
  };
  std::vector<feedback::Item> items;
  const std::lock_guard guard(model);
  try {
    for (const auto& each :
         generation::generate(*loaded.model, loaded.text, {&prompt, 1}, sampling(2, source.seed), options)) {
      feedback::Item item;
      item.text = each.text;
      item.ids = each.ids;
      item.sample = each.sample;
      items.push_back(std::move(item));
    }
  } catch (const Gone&) {  // nobody waits for the rest
  }
  return items;
}

ModelSource::ModelSource(feedback::Store& store, const QuestionSource& source)
    : state_(new State{store, source, models::load_model(source.model), {}, {}, {}}) {}

ModelSource::~ModelSource() {
  state_->over = true;
  if (state_->thread.joinable()) state_->thread.join();
}

serving::ChatFn ModelSource::chat() {
  if (!state_->loaded.text.chat) return nullptr;
  return [state = state_](const auto& messages, auto& prompt, const auto& piece, const auto& going_on) {
    return state->reply(messages, prompt, piece, going_on);
  };
}

void ModelSource::start() {
  if (state_->source.prompts.empty()) return;
  state_->thread = std::thread([state = state_.get()] {
    try {
      state->ask();
    } catch (const Error& error) {
      std::cerr << fmt::format("questions on the model's completions end here: {}\n", error.what());
    }
  });
}

}  // namespace rlhf::app
