#include "recipes/recursive_reward_modeling/conditions.h"

#include <algorithm>

namespace rlhf::recipes {
namespace {

std::vector<std::int64_t> faults_first(const Output& output, std::int64_t count, Random& random) {
  auto places = random.permutation(std::ssize(output.places));
  std::stable_partition(places.begin(), places.end(),
                        [&](std::int64_t place) { return output.places[static_cast<std::size_t>(place)].fault; });
  places.resize(std::min(places.size(), static_cast<std::size_t>(count)));
  return places;
}

}  // namespace

const std::vector<std::string>& assistance_conditions() {
  static const std::vector<std::string> names = {"alone",        "helper",       "oracle",       "inverted",
                                                 "random_hints", "oracle_hints", "double_budget"};
  return names;
}

Condition condition_of(const std::string& name, const Subject& subject, const RecursiveConfig& config,
                       const Finder* finder) {
  const auto looks = [&subject, budget = config.budget](auto choose) {
    return [&subject, budget, choose](const Output& output, Random& random) {
      return findings_at(output, choose(output, budget, random), subject.fault_word(), subject.clear_word());
    };
  };
  if (name == "oracle") return {.name = name, .oracle = true};
  if (name == "helper" || name == "inverted")
    return {.name = name,
            .helper = {name == "helper" ? "finder" : "finder turned round", 1},
            .look = looks([finder, turned = name == "inverted"](const Output& output, auto count, Random& random) {
              return finder->propose(output, count, random, turned);
            })};
  if (name == "oracle_hints") return {.name = name, .helper = {"oracle", 1}, .look = looks(faults_first)};
  if (name == "double_budget")
    return {.name = name, .look = looks([](const Output& output, std::int64_t count, Random& random) {
              return drawn_by_lot(output, 2 * count, random);
            })};
  return {.name = name, .helper = {name == "random_hints" ? "lots" : "", 1}, .look = looks(drawn_by_lot)};
}

feedback::Store store_of(const Run& part) {
  return feedback::Store::open((part.folder() / "feedback.db").string());
}

std::function<bool()> stops(const Run& part) {
  return [&part] { return part.stop_requested(); };
}

std::optional<Finder> trained_finder(const Subject& subject, const RecursiveConfig& config, feedback::Store& store,
                                     Run& part) {
  Finder finder(subject.features(), config.finder);
  const auto practice = subject.practice(config.practice, config.seed);
  if (!finder.train(practice, store, config.error_rate, stops(part))) return std::nullopt;
  return finder;
}

std::vector<Output> heldout_outputs(const Subject& subject, const RecursiveConfig& config) {
  return Trainee(subject, config.agent, config.ppo).outputs(800, derive(config.seed, {hash("held out")}));
}

std::vector<OutputPair> heldout_pairs(const std::vector<Output>& outputs, const RecursiveConfig& config) {
  Random random(derive(config.seed, {hash("held-out pairs")}));
  const auto any = [&]() -> const Output& {
    return outputs[static_cast<std::size_t>(random.below(std::ssize(outputs)))];
  };
  std::vector<OutputPair> pairs;
  for (std::int64_t attempt = 0; std::ssize(pairs) < config.heldout && attempt < 100 * config.heldout; ++attempt) {
    const auto &first = any(), &second = any();
    if (first.truth != second.truth) pairs.push_back({first, second});
  }
  return pairs;
}

}  // namespace rlhf::recipes
