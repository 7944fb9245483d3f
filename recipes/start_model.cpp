#include "recipes/start_model.h"

#include <array>

#include "rlhf/algorithms/sft.h"
#include "rlhf/core/seed.h"
#include "rlhf/data/encode.h"
#include "rlhf/models/random_weights.h"

namespace rlhf::recipes {
namespace {

template <std::size_t N>
const char* pick(const std::array<const char*, N>& words, Random& random) {
  return words[random.below(static_cast<std::int64_t>(N))];
}

std::string one_story(Random& random) {
  static constexpr std::array heroes = {"dog", "cat", "girl", "boy", "bird", "farmer", "teacher", "fox", "rabbit", "singer"};
  static constexpr std::array good = {"happy", "glad", "kind", "lovely", "great", "wonderful", "good", "nice", "brave", "calm"};
  static constexpr std::array bad = {"sad", "angry", "terrible", "bad", "awful", "lonely", "afraid", "horrible", "cruel", "sick"};
  static constexpr std::array plain = {"tall", "quick", "quiet", "young", "old", "small", "green", "busy", "wet", "early"};
  static constexpr std::array places = {"home", "to the lake", "to the town", "up the hill", "to the market", "into the garden"};
  static constexpr std::array moves = {"ran", "walked", "went", "came", "hurried"};
  const auto feeling = [&] {
    const auto kind = random.below(3);
    return kind == 0 ? pick(good, random) : kind == 1 ? pick(bad, random) : pick(plain, random);
  };
  const std::string hero = pick(heroes, random);
  const auto day = std::string("The day was ") + feeling() + ".";
  std::string story = "The " + hero + " was " + feeling() + ". It " + pick(moves, random) + " " + pick(places, random) + ". ";
  story += "There was a " + std::string(feeling()) + " " + pick(heroes, random) + ". ";
  story += random.below(2) == 0 ? day : "The " + hero + " felt " + feeling() + ".";
  return story;
}

nlohmann::json story_config(const StoryModelConfig& story, std::int64_t vocabulary, TokenId end) {
  return {{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"},        {"hidden_size", story.width},
          {"intermediate_size", 3 * story.width},  {"num_hidden_layers", story.layers}, {"num_attention_heads", story.heads},
          {"num_key_value_heads", story.heads},    {"vocab_size", vocabulary},     {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-5},                  {"rope_theta", 10000.0},        {"hidden_act", "silu"},
          {"tie_word_embeddings", true},           {"eos_token_id", end},          {"bos_token_id", nullptr},
          {"dtype", "float32"}};
}

std::optional<models::LoadedModel> train_story_model(const StoryModelConfig& story, std::uint64_t seed, Run& run) {
  Run own({.folder = run.folder() / "start_model", .resume = true, .stop_requested = [&run] { return run.stop_requested(); }},
          to_toml(story), {{"algorithm", "sft"}});
  const auto texts = generated_stories(story.stories, seed);
  const std::string end = "<|endoftext|>";
  auto text = text::TextBundle::from_tokenizer(text::train_bpe(texts, story.vocabulary, std::array{end}), {{"eos_token", end}});
  std::vector<data::Example> examples;
  for (const auto& ids : text.tokenizer.encode_batch(texts)) {
    data::Example example{.ids = ids};
    example.ids.push_back(text.special.stop.front());
    example.mask.assign(example.ids.size(), 1);
    example.mask.front() = 0;
    examples.push_back(std::move(example));
  }
  const auto config = story_config(story, text.tokenizer.size(), text.special.stop.front());
  auto model = models::builtin_models().at("llama")(config, models::random_weights(seed));
  algorithms::train(*model, examples,
                    {.epochs = story.epochs, .batch = story.batch, .learning_rate = story.learning_rate, .seed = seed},
                    {.write_model = [&](const std::filesystem::path& folder) { models::save_hf(folder, *model, text); }}, own);
  if (run.stop_requested()) return std::nullopt;
  return models::load_model(own.folder().string());
}

}  // namespace

void StoryModelConfig::fields(Fields& f) {
  f.field("stories", stories, "generated stories to learn from");
  f.field("vocabulary", vocabulary, "tokens of its byte-level BPE");
  f.field("layers", layers, "layers");
  f.field("width", width, "hidden size");
  f.field("heads", heads, "attention heads");
  f.field("epochs", epochs, "passes over the stories");
  f.field("batch", batch, "stories per optimiser step");
  f.field("learning_rate", learning_rate, "peak learning rate");
}

std::vector<std::string> generated_stories(std::int64_t count, std::uint64_t seed) {
  std::vector<std::string> stories;
  for (std::int64_t i = 0; i < count; ++i) {
    Random random(derive(seed, {hash("story"), static_cast<std::uint64_t>(i)}));
    stories.push_back(one_story(random));
  }
  return stories;
}

std::optional<models::LoadedModel> load_start_model(const std::string& name, const StoryModelConfig& story,
                                                    std::uint64_t seed, Run& run) {
  if (name != "stories") return models::load_model(name);
  return train_story_model(story, seed, run);
}

}  // namespace rlhf::recipes
