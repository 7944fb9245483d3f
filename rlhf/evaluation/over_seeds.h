#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rlhf/evaluation/bootstrap.h"

namespace rlhf::evaluation {

// What a few runs of one method with different seeds say about it (Agarwal et al. 2021, "Deep Reinforcement Learning at
// the Edge of the Statistical Precipice", arXiv:2108.13264).

/// The mean of the middle half of `values`: the lowest and the highest quarter, in whole values rounded down, do not
/// count (the rule of the paper's own library; with three runs or fewer it is the mean). NaN without values.
double interquartile_mean(std::span<const double> values);

/// Percentile bootstrap of the mean over runs; a run is drawn whole.
Interval mean_over_runs(std::span<const double> values, const BootstrapConfig& config = {});

/// The same of the interquartile mean; `mean` of the result is the interquartile mean.
Interval interquartile_mean_over_runs(std::span<const double> values, const BootstrapConfig& config = {});

/// The same over several tasks, [task][run], scores made comparable by the caller: each task's runs are drawn among
/// themselves, then all are pooled (stratified bootstrap).
Interval interquartile_mean_over_tasks(const std::vector<std::vector<double>>& tasks, const BootstrapConfig& config = {});

/// For each of `thresholds`, the share of runs whose value is above it.
std::vector<double> performance_profile(std::span<const double> values, std::span<const double> thresholds);

/// The chance that a run of `first` beats one of `second`; an equal pair counts half.
double probability_of_improvement(std::span<const double> first, std::span<const double> second);

}  // namespace rlhf::evaluation
