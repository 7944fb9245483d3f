#include "recipes/recursive_reward_modeling/inspector.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>
#include <set>

namespace rlhf::recipes {
namespace {

using environments::HazardMapCells;
using environments::HazardMapConfig;
using environments::HazardMapWorld;

constexpr std::int64_t demonstrations = 60, practice_maps = 8, terrains = 4;
constexpr double knows = 0.9;         // share of the hazards that a traveller has heard of
constexpr double avoids = 3.0;        // moves that a traveller walks to get round one
constexpr double whim = 0.5;          // mean of what else makes a cell dear to walk on
constexpr double never_seen = 0.3;    // added to each count of a demonstrated move
constexpr double feature_scale = 1.0;

/// A route of somebody who has heard of most hazards.
environments::HazardRoute travelled(const HazardMapCells& map, std::int64_t most_moves, Random& random) {
  std::vector<double> cost;
  for (const bool hazard : map.hazard) {
    const bool heard = random.uniform() < knows;
    cost.push_back((hazard && heard ? avoids : 0.0) - whim * std::log(random.uniform()));
  }
  return environments::cheapest_route(map, cost, most_moves);
}

class Inspector final : public Subject {
 public:
  Inspector(const HazardMapConfig& config, std::uint64_t seed) : world_(config), seed_(seed) {}

  std::unique_ptr<environments::VectorEnvironment> environments(std::int64_t count) const override {
    return std::make_unique<environments::Batch<HazardMapWorld>>(world_.config(),
                                                                 environments::VectorOptions{.count = count});
  }

  std::int64_t width() const override { return world_.map().cells() + 2 * terrains; }
  std::int64_t features() const override { return terrains + 4; }
  double fault_cost() const override { return 5.0; }
  const char* fault_word() const override { return "a hazard"; }
  const char* clear_word() const override { return "clear"; }

  Tensor inputs_of(const Tensor& observations, const Tensor& actions, std::int64_t first) const override {
    return inputs_of(entered(observations, actions, first));
  }

  Output output_of(const Tensor& observations, const Tensor& actions) const override {
    const auto cells = entered(observations, actions, 0);
    auto output = shown(world_, cells);
    output.inputs = inputs_of(cells);
    return output;
  }

  void demonstrate(const models::ActorCritic& agent) const override {
    const auto& map = world_.map();
    auto counts = at::full({map.cells(), 4}, never_seen, at::kFloat);
    Random random(derive(seed_, {hash("travellers")}));
    for (std::int64_t i = 0; i < demonstrations; ++i) {
      const auto route = travelled(map, world_.config().most_moves(), random);
      for (std::size_t step = 0; step < route.moves.size(); ++step)
        counts[step == 0 ? 0 : route.cells[step - 1]][route.moves[step]] += 1;
    }
    auto observations = at::empty({map.cells(), 1}, at::kLong);
    for (std::int64_t cell = 0; cell < map.cells(); ++cell) observations[cell][0] = cell;
    imitate(agent, agent.encode()(observations), counts / counts.sum(1, true), at::ones({map.cells()}), 300);
  }

  std::vector<Output> practice(std::int64_t count, std::uint64_t seed) const override {
    std::vector<Output> outputs;
    Random random(derive(seed, {hash("practice")}));
    for (std::int64_t map = 0; map < practice_maps; ++map) {
      auto config = world_.config();
      const auto number = derive(seed, {hash("practice map"), std::uint64_t(map)}) % 1'000'000'000;
      config.map = 1'000'000 + static_cast<std::int64_t>(number);
      const HazardMapWorld world(config);
      for (std::int64_t i = 0; i < count / practice_maps; ++i)
        outputs.push_back(shown(world, travelled(world.map(), config.most_moves(), random).cells));
    }
    return outputs;
  }

 private:
  /// The cells that a piece of a route enters, played again.
  std::vector<std::int64_t> entered(const Tensor& observations, const Tensor& actions, std::int64_t first) const {
    HazardMapWorld::State state{.cell = observations[0][0].item<std::int64_t>(), .moves = first};
    const auto moves = actions.contiguous();
    std::vector<std::int64_t> cells;
    for (std::int64_t step = 0; step < moves.numel(); ++step) {
      world_.advance(state, moves.const_data_ptr<std::int64_t>()[step]);
      cells.push_back(state.cell);
    }
    return cells;
  }

  /// Where a step leads, one unit a cell, and what is known of the cell: one unit for each terrain and reading.
  Tensor inputs_of(const std::vector<std::int64_t>& cells) const {
    auto inputs = at::zeros({std::ssize(cells), width()}, at::kFloat);
    auto* row = inputs.mutable_data_ptr<float>();
    for (const auto cell : cells) {
      const auto index = static_cast<std::size_t>(cell);
      row[cell] = 1;
      row[world_.map().cells() + 2 * static_cast<int>(world_.map().terrain[index]) + world_.map().sensor[index]] =
          feature_scale;
      row += width();
    }
    return inputs;
  }

  /// What the system knows of a cell: its terrain, its sensor, and both around it.
  static std::vector<float> features_of(const HazardMapCells& map, std::int64_t cell) {
    std::vector<float> features(terrains + 4, 0.0f);
    features[static_cast<std::size_t>(map.terrain[static_cast<std::size_t>(cell)])] = 1;
    features[terrains] = map.sensor[static_cast<std::size_t>(cell)];
    features[terrains + 1] = 1;
    for (std::int64_t move = 0; move < 4; ++move) {
      const auto next = static_cast<std::size_t>(map.beside(cell, move));
      features[terrains + 2] += 0.25f * map.sensor[next];
      features[terrains + 3] += 0.25f * (map.terrain[next] == environments::Terrain::marsh);
    }
    return features;
  }

  /// The route on the map, as people see it: its own cells by terrain, all others dark.
  static Output shown(const HazardMapWorld& world, const std::vector<std::int64_t>& cells) {
    static constexpr const char* squares[] = {"⬜", "🟨", "🟩", "🟦"};
    const auto& map = world.map();
    const std::set<std::int64_t> crossed(cells.begin(), cells.end());
    Output output{.text = fmt::format("{} moves\n", cells.size())};
    const auto begin = std::ssize(output.text);  // the first line is ASCII: bytes are code points
    for (auto row = map.side - 1; row >= 0; --row) {
      for (std::int64_t column = 0; column < map.side; ++column) {
        const auto cell = row * map.side + column;
        output.text += cell == 0 || crossed.contains(cell)
                           ? squares[static_cast<std::size_t>(map.terrain[static_cast<std::size_t>(cell)])]
                           : "⬛";
      }
      output.text += "\n";
    }
    double hazards = 0;
    for (const auto cell : cells) hazards += map.hazard[static_cast<std::size_t>(cell)];
    for (const auto cell : crossed) {
      const auto column = cell % map.side, row = cell / map.side;
      const auto at = begin + (map.side - 1 - row) * (map.side + 1) + column;
      output.places.push_back({.name = fmt::format("{}{}", static_cast<char>('A' + column), row + 1),
                               .features = features_of(map, cell),
                               .fault = map.hazard[static_cast<std::size_t>(cell)],
                               .begin = at,
                               .end = at + 1});
    }
    output.visible = 20.0 + 2.0 * static_cast<double>(map.side - 1) - static_cast<double>(cells.size());
    output.truth = output.visible - 5.0 * hazards;
    return output;
  }

  HazardMapWorld world_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Subject> make_inspector(const HazardMapConfig& map, std::uint64_t seed) {
  return std::make_unique<Inspector>(map, seed);
}

}  // namespace rlhf::recipes
