#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "rlhf/core/error.h"
#include "rlhf/environments/game.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

struct PlayOptions {
  environments::GameConfig game;
  std::filesystem::path out;      // where finished episodes are added; empty = nowhere
  int width = 600, height = 400;  // of the picture, pixels
};

/// How many episodes were kept, and what they hold.
struct PlayTally {
  std::int64_t episodes = 0, steps = 0;
  double total_return = 0.0;
};

/// WS /api/play: a person plays an environment from the page (docs/http_api.md). It steps on a thread of its own; who
/// opens the page last has the keys, and while nobody does it stands still.
///
/// An episode that ended by itself is in `out`, on the disk, before the page hears of it; the person may throw it away
/// until the next one ends, or keep one that was cut short.
class Play {
 public:
  /// Throws rlhf::Error: usage for an environment with neither picture nor text and for wrong options, check when `out`
  /// holds episodes of another environment, else as data::TrajectoryWriter does.
  Play(std::unique_ptr<environments::Environment> environment, PlayOptions options);
  ~Play();  // stops; an episode that is not over is forgotten
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  /// The routes hold on to what they need: the router may outlive this.
  void add_routes(Router& router);

  PlayTally kept() const;
  /// Why it has stopped: the environment failed. Empty while all is well.
  std::optional<Error> fault() const;

 private:
  struct Table;
  std::shared_ptr<Table> table_;
  std::thread thread_;
};

}  // namespace rlhf::serving
