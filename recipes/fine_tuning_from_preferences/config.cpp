#include "recipes/fine_tuning_from_preferences/config.h"

#include "rlhf/core/error.h"

namespace rlhf::recipes {

void LabelsConfig::fields(Fields& f) {
  f.choice("labeler", labeler, {{"simulated", LabelerKind::simulated}, {"human", LabelerKind::human}}, "who answers: an oracle, or people through `rlhf collect`");
  f.field("store", store, "people: where they answer, a file or postgresql://...; empty = feedback.db in the run's folder");
  f.field("wait", wait, "people, online: false lets the policy go on with the reward model it has until enough labels are there");
  f.field("questions", questions, "best-of-N picks in all");
  f.field("items", items, "completions a question shows");
  f.field("heldout", heldout, "share of the questions that tests the reward model instead of training it");
  f.field("rounds", rounds, "1 = offline, all on the start model; more = online, on the moving policy");
  f.field("first_round", first_round, "online: share of the labels collected before the policy moves");
  f.group("oracle", oracle, "the simulated labeler");
}

void FineTuningConfig::fields(Fields& f) {
  start.fields(f);
  f.group("story", story, "the tiny model that is trained here from nothing for model = \"stories\"");
  f.choice("value", value, {{"shared", ValueTrunk::shared}, {"separate", ValueTrunk::separate}}, "the value head's trunk");
  f.group("labels", labels, "questions and who answers them");
  f.group("reading", reading, "what the reward model reads");
  f.group("reward", reward, "training of the reward model");
  f.field("reward_sign", reward_sign, "-1 flips the learned reward; the sign test then refuses to start");
  f.group("ppo", ppo, "policy optimisation");
  f.group("evaluate", evaluate, "evaluation on held-out prompts");
  f.field("prompts", prompts, "JSONL file with `prompt` and `split`; empty = the recipe's own");
  f.field("seed", seed, "of everything random");
}

void FineTuningConfig::validate() const {
  const auto refuse = [](const char* field, const std::string& what, const char* fix) {
    throw Error({.category = Category::usage, .where = field, .what = what, .fix = fix});
  };
  if (labels.items < 2) refuse("labels.items", "a question with " + std::to_string(labels.items) + " item asks nothing", "Use 2 or more.");
  if (labels.questions < 10) refuse("labels.questions", std::to_string(labels.questions) + " labels cannot fit a reward model", "Use at least 10.");
  if (labels.rounds < 1 || labels.rounds > ppo.steps) {
    refuse("labels.rounds", std::to_string(labels.rounds) + " rounds do not fit " + std::to_string(ppo.steps) + " PPO steps",
           "Use 1 (offline) up to ppo.steps.");
  }
  ppo.validate();
}

}  // namespace rlhf::recipes
