#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "recipes/recursive_reward_modeling/conditions.h"
#include "rlhf/evaluation/assistance.h"

namespace rlhf::recipes {

/// The questions of a study in which people judge: each person the same pairs, once, in an order of her own and on one
/// screen whether there is help or not. `aided` looks where a helper points for a random half of them, `unaided` looks
/// at the others. Two neighbours in the list of people have help with opposite halves, so that their pairs are judged
/// both ways. What the help would have shown is kept with the questions that have none.
std::vector<feedback::Question> people_questions(const std::vector<OutputPair>& pairs, const Condition& aided,
                                                 const Condition& unaided, const RecursiveConfig& config,
                                                 double fault_cost, const std::string& briefing);

/// What a person's judgements say about the help that she had.
struct PersonReport {
  evaluation::AssistanceReport assistance;
  std::int64_t judgements = 0;
  std::int64_t undecided = 0;  // of these: tie or "cannot tell", which are not right
  double opened = 0.0;         // share of the hints that were there to be opened
};

/// Of everybody who answered people_questions of that seed, by name, and of "everybody"; from the store alone.
std::map<std::string, PersonReport> people_reports(const feedback::Store& store, std::uint64_t seed);

/// Asks people, waits until every question is answered or passed over, and writes people.json: what people_reports
/// says. The numbers are everybody's. Nothing when asked to stop; what was answered stays.
std::optional<nlohmann::json> ask_people(const Subject& subject, const RecursiveConfig& config, Run& part);

}  // namespace rlhf::recipes
