#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/transition_table.h"
#include "rlhf/environments/world.h"

namespace rlhf::environments {

struct TaxiState {
  std::int64_t place = 0;   // ((row * 5 + column) * 5 + passenger) * 4 + destination
  std::int64_t fickle = 0;  // 1 while the passenger will still change his mind
  std::int64_t facing = 0;  // the last move: for the picture
};

struct TaxiConfig {
  bool rainy = false;               // moves slip to either side
  bool fickle = false;              // the passenger may change his destination after the first move with him
  double rainy_probability = 0.8;   // of a move that goes where it should, in the rain
  double fickle_probability = 0.3;  // of an episode in which the passenger changes his mind
  std::int64_t max_steps = 200;

  void fields(Fields& f) {
    f.field("rainy", rainy, "moves may go to either side of where they should");
    f.field("fickle", fickle, "the passenger may change his destination once he has been driven a cell");
    f.field("rainy_probability", rainy_probability, "of a move in the rain that goes where it should");
    f.field("fickle_probability", fickle_probability, "of an episode in which a fickle passenger changes his mind");
    f.field("max_steps", max_steps, "the episode is truncated then; 0 = no limit");
  }
  void validate() const;
};

/// Taxi-v4 of Gymnasium 1.4 (after Dietterich 2000): fetch a passenger at one of four stands and bring him to another.
///
///   observation  int64 [1]: ((row * 5 + column) * 5 + passenger) * 4 + destination; rows from the top; stands 0 red,
///                1 green, 2 yellow, 3 blue; passenger 4 = in the taxi
///   action       0 south, 1 north, 2 east, 3 west, 4 pick up, 5 drop off
///   reward       -1 a step; 20 for the drop at the destination, where the episode ends; -10 for picking up or dropping
///                off where it cannot be done
///   start        anywhere, passenger and destination at different stands; option "state": [number] sets it
///   info         action_mask [6]: 1 for the actions that change something
class TaxiWorld {
 public:
  using Config = TaxiConfig;
  using State = TaxiState;
  using Observed = std::int64_t;
  static constexpr bool discrete = true, chance = true;

  explicit TaxiWorld(const TaxiConfig& config);
  const Spec& spec() const { return spec_; }
  State start(Random& random) const;
  State given(const std::vector<double>& numbers) const;
  Outcome advance(State& state, std::int64_t action, Random& random) const;
  void observe(const State& state, std::int64_t* out) const { out[0] = state.place; }
  bool possible(const State& state) const;
  Image draw(const State& state, int width, int height) const;
  /// The map: T the taxi (t with its passenger), R G Y B the stands, p the passenger, and where he wants to go.
  std::string text(const State& state) const;
  nlohmann::json info(const State& state) const;

  const TransitionTable& transitions() const { return table_; }

 private:
  TaxiConfig config_;
  Spec spec_;
  TransitionTable table_;
};

extern template class Single<TaxiWorld>;
extern template class Batch<TaxiWorld>;
using Taxi = Single<TaxiWorld>;

}  // namespace rlhf::environments
