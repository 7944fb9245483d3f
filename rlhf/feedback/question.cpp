#include "rlhf/feedback/question.h"

#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::feedback {

std::string question_id(const Origin& origin, std::int64_t policy_version, std::string_view prompt_id,
                        int first_sample) {
  return origin.run + "/" + origin.stage + "/v" + std::to_string(policy_version) + "/" + std::string(prompt_id) + "/" +
         std::to_string(first_sample);
}

Question ask(const Origin& origin, const data::Prompt& prompt, std::span<const data::Completion> completions) {
  if (completions.empty()) {
    throw Error({.category = Category::bad_data,
                 .where = "prompt " + prompt.id,
                 .what = "there is no completion to ask about",
                 .fix = ""});
  }
  Question question;
  question.id = question_id(origin, completions[0].policy_version, prompt.id, completions[0].sample);
  question.form = builtin_form(!origin.form.empty()      ? origin.form
                               : completions.size() == 1 ? "rating"
                               : completions.size() == 2 ? "pair"
                                                         : "best_of_n");
  question.prompt = prompt;
  question.guideline = origin.guideline;
  for (const auto& each : completions) {
    question.shown.push_back(static_cast<int>(question.items.size()));
    question.items.push_back({.text = each.text,
                              .ids = each.ids,
                              .policy_version = each.policy_version,
                              .sample = each.sample,
                              .quotes = {},
                              .clip = {},
                              .segment = {}});
  }
  Random random(derive(origin.seed, {hash("feedback/question"), hash(question.id)}));
  random.shuffle(question.shown);
  Random by_prompt(derive(origin.seed, {hash("feedback/split"), hash(prompt.id)}));
  const double draw = (origin.split_by_prompt ? by_prompt : random).uniform();
  question.split = draw < origin.heldout_share ? Split::heldout : Split::train;
  return question;
}

}  // namespace rlhf::feedback
