#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "rlhf/algorithms/reward_training.h"
#include "rlhf/feedback/batches.h"
#include "rlhf/text/bundle.h"

namespace rlhf::algorithms {

/// A reward model that keeps up with the people who teach it (Christiano et al. 2017, arXiv:1706.03741, section 2.2).
struct FollowConfig {
  std::string store;  // a file, or postgresql://...
  std::string project = "default";
  std::int64_t first_labels = 20;  // answers to train on that the first fit waits for
  std::int64_t new_labels = 20;    // answers that came, changed or were taken back before the next fit
  std::int64_t refits = 0;         // fits before it stops by itself, those of earlier starts included; 0 = goes on
  bool select = false;        // after each fit, open questions are asked in the order of what an ensemble disagrees on
  double random_share = 0.3;  // of these, chosen uniformly all the same (feedback/selection.h)
  std::int64_t select_most = 200;  // open questions looked at, newest first

  void fields(Fields& f);
  void validate() const;
};

/// What one fit gives: the agreement with people, and how well the fit describes what it was taught.
using FitFn = std::function<RewardResult(const RewardData& data)>;

/// How unsure an ensemble is which item of a question is the best: the variance over its members of each item's
/// probability, averaged over the items. `members` [members, width] as fit_head gives them.
double disagreement(const RewardModel& model, const Tensor& members, const feedback::Question& question);

/// Thrown out of a fit once the run is asked to stop: follow_labels then ends in good order, with the versions that it
/// has.
struct StopRequested {};

/// Fits, writes a checkpoint whose step is the version (1, 2, ...), and waits for more labels, until the run is asked
/// to stop. Each version has a row of metrics: labels, held_out_labels, loss, train/accuracy, eval_accuracy with its
/// 95% interval. A resumed run goes on from the labels of its last version.
///
/// Texts that came to the store without token ids are encoded by `text`; ids that are there are taken as they are. A
/// fit that the labels do not allow yet (all of them ties, say) is reported and tried again with the next ones. Returns
/// the last version. `model` is what `fit` fits.
std::int64_t follow_labels(feedback::Store& store, const text::TextBundle& text, const FollowConfig& config,
                           const FitFn& fit, const RewardModel& model, const WriteModel& write_model, Run& run);

/// A new head on frozen features, normalised on the labelled items (reward_head_fit.h).
/// `between_passes` is called every few hundred items; what it throws ends the fit.
RewardResult refit(RewardModel& model, const RewardData& data, const RewardModelConfig& config,
                   const std::function<void()>& between_passes = {});

}  // namespace rlhf::algorithms
