#include "recipes/recursive_reward_modeling/depth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "recipes/recursive_reward_modeling/agent_study.h"

namespace rlhf::recipes {
namespace {

constexpr int segments = 4;

/// Places that are next to each other on the output, about a quarter of them.
Output segment_of(const Output& output, int segment) {
  const auto places = std::ssize(output.places);
  Output part;
  part.places.assign(output.places.begin() + places * segment / segments,
                     output.places.begin() + places * (segment + 1) / segments);
  return part;
}

std::int64_t middle(std::vector<std::int64_t> counts) {
  std::sort(counts.begin(), counts.end());
  return counts[counts.size() / 2];
}

/// The places that most members point at; among equals the one that was named first.
std::vector<std::int64_t> most_named(const std::vector<std::int64_t>& named, std::int64_t count) {
  std::map<std::int64_t, std::int64_t> votes;
  std::vector<std::int64_t> places;
  for (const auto place : named)
    if (votes[place]++ == 0) places.push_back(place);
  std::stable_sort(places.begin(), places.end(), [&](auto a, auto b) { return votes[a] > votes[b]; });
  places.resize(std::min(places.size(), static_cast<std::size_t>(count)));
  return places;
}

/// The levels at work on one output.
class Levels {
 public:
  Levels(const Depth& depth, const Output& output, const Finder& finder, std::int64_t budget, Random& random)
      : depth_(depth), output_(output), finder_(finder), budget_(budget), random_(random) {}

  nlohmann::json answer(const feedback::AssistanceNode& node, const nlohmann::json& fed) {
    if (node.task == "point") return pointed(part_of(node));
    if (node.task == "count") return counted(part_of(node), fed.begin()->get<std::vector<std::int64_t>>());
    if (node.task == "add") {
      std::vector<std::int64_t> sums;
      std::int64_t sum = 0;
      for (const auto& one : fed) sum += one.get<std::int64_t>();
      for (std::int64_t member = 0; member < depth_.members; ++member) sums.push_back(reported(sum));
      return middle(std::move(sums));
    }
    return fed;  // the person, who is told
  }

 private:
  Output part_of(const feedback::AssistanceNode& node) const {
    return node.input == "output" ? output_ : segment_of(output_, node.input.back() - '1');
  }

  std::vector<std::int64_t> pointed(const Output& part) {
    std::vector<std::int64_t> named;
    for (std::int64_t member = 0; member < depth_.members; ++member)
      for (auto place : finder_.propose(part, budget_, random_)) {
        if (random_.uniform() < depth_.error) place = random_.below(std::ssize(part.places));
        named.push_back(place);
      }
    return most_named(named, budget_);
  }

  /// Faults at the places that are opened.
  std::int64_t counted(const Output& part, const std::vector<std::int64_t>& opened) {
    const auto faults = std::count_if(opened.begin(), opened.end(), [&](std::int64_t place) {
      return part.places[static_cast<std::size_t>(place)].fault;
    });
    std::vector<std::int64_t> counts;
    for (std::int64_t member = 0; member < depth_.members; ++member) counts.push_back(reported(faults));
    return middle(std::move(counts));
  }

  std::int64_t reported(std::int64_t count) {
    const bool off = random_.uniform() < depth_.error, more = random_.uniform() < 0.5;
    return off ? std::max<std::int64_t>(0, count + (more ? 1 : -1)) : count;
  }

  const Depth& depth_;
  const Output& output_;
  const Finder& finder_;
  std::int64_t budget_;
  Random& random_;
};

std::string result_name(const Depth& depth) {
  return fmt::format("depth_{}_error_{}_{}", depth.levels, std::lround(100 * depth.error),
                     depth.members == 1 ? "single" : "ensemble");
}

}  // namespace

feedback::AssistanceGraph graph_of(int levels) {
  feedback::AssistanceGraph graph{.name = fmt::format("inspection-{}", levels)};
  graph.nodes.push_back({"judgement", "compare", "output", "comparison", "person"});
  if (levels == 1) {
    graph.nodes.push_back({"cells", "point", "output", "places", "finder"});
    graph.edges.emplace_back("cells", "judgement");
    return graph;
  }
  if (levels == 3) {
    graph.nodes.push_back({"sum", "add", "output", "faults", "route judge"});
    graph.edges.emplace_back("sum", "judgement");
  }
  for (int i = 1; i <= segments; ++i) {
    const auto segment = fmt::format("segment-{}", i), cells = fmt::format("cells-{}", i);
    graph.nodes.push_back({cells, "point", segment, "places", "finder"});
    graph.nodes.push_back({segment, "count", segment, "faults", "segment judge"});
    graph.edges.emplace_back(cells, segment);
    graph.edges.emplace_back(segment, levels == 3 ? "sum" : "judgement");
  }
  return graph;
}

Condition depth_condition(const Depth& depth, const Subject& subject, const RecursiveConfig& config,
                          const Finder& finder) {
  const auto look = [depth, &subject, &finder, budget = config.budget, graph = graph_of(depth.levels)](
                        const Output& output, Random& random) {
    Levels levels(depth, output, finder, budget, random);
    const auto answers =
        feedback::run(graph, [&](const auto& node, const nlohmann::json& fed) { return levels.answer(node, fed); });
    if (depth.levels == 1)
      return findings_at(output, answers.at("cells").get<std::vector<std::int64_t>>(), subject.fault_word(),
                         subject.clear_word());
    std::vector<Finding> findings;
    for (const auto& [node, said] : answers.at("judgement").items())
      findings.push_back({.text = fmt::format("{}: {} x {}", node, said.template get<int>(), subject.fault_word()),
                          .faults = said.template get<int>()});
    return findings;
  };
  return {.name = result_name(depth), .helper = {fmt::format("{} levels", depth.levels), 1}, .look = look};
}

std::optional<nlohmann::json> measure_depth(const Subject& subject, const RecursiveConfig& config, Run& part) {
  auto store = store_of(part);
  const auto finder = trained_finder(subject, config, store, part);
  if (!finder) return std::nullopt;
  for (int levels = 1; levels <= 3; ++levels)
    part.write_file(fmt::format("assistance_graph_{}.json", levels),
                    feedback::to_json(graph_of(levels)).dump(2) + "\n");
  const auto pairs = heldout_pairs(heldout_outputs(subject, config), config);
  const auto evaluator =
      make_evaluator({.error_rate = config.error_rate, .fault_cost = subject.fault_cost(), .seed = config.seed});
  nlohmann::json numbers = {{"pairs", pairs.size()}};
  for (int levels = 1; levels <= 3; ++levels)
    for (const double error : config.level_errors)
      for (const std::int64_t members : {std::int64_t{1}, config.ensemble}) {
        const Depth depth{.levels = levels, .error = error, .members = members};
        const auto condition = depth_condition(depth, subject, config, *finder);
        std::int64_t right = 0;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          const auto question = question_of("depth", fmt::format("pair-{}", i), pairs[i].first, pairs[i].second,
                                            condition, config.seed);
          const auto said = std::get<feedback::Comparison>(evaluator->answer(question).said);
          right += (said.best == 0) == (pairs[i].first.truth > pairs[i].second.truth);
        }
        numbers[condition.name] = static_cast<double>(right) / static_cast<double>(pairs.size());
        if (part.stop_requested()) return std::nullopt;
      }
  return numbers;
}

std::optional<nlohmann::json> train_at_depth(const Subject& subject, const Depth& depth, const RecursiveConfig& config,
                                             Run& part) {
  auto store = store_of(part);
  const auto finder = trained_finder(subject, config, store, part);
  if (!finder) return std::nullopt;
  return train_under(subject, depth_condition(depth, subject, config, *finder), config, part);
}

}  // namespace rlhf::recipes
