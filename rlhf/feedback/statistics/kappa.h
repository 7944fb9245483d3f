#pragma once
#include <optional>
#include <span>
#include <vector>

#include "rlhf/feedback/statistics/bootstrap.h"
#include "rlhf/feedback/statistics/units.h"

namespace rlhf::feedback::statistics {

/// How often two answers to one question are equal, over all pairs of them. `n` counts pairs of answers; the interval
/// draws whole questions. Nothing when no question has two answers.
std::optional<Estimate> raw_agreement(std::span<const Pattern> patterns, const BootstrapOptions& options = {});

/// What a disagreement costs by how far apart two categories are (Cohen 1968).
enum class KappaWeights { none, linear, quadratic };

/// table[a][b]: questions that the one annotator put into category a and the other into b. Square.
using Table = std::vector<std::vector<double>>;

/// The table of two annotators over the questions both answered. Values are categories 0 .. categories - 1.
Table table_of(std::span<const Given> answers, std::int32_t one, std::int32_t other, int categories);

/// Agreement of two annotators beyond what their habits give by chance (Cohen 1960; weighted: Cohen 1968). 1 = always,
/// 0 = as chance. `n` counts questions. Nothing where both always say one and the same thing.
std::optional<Estimate> cohen_kappa(const Table& table, KappaWeights weights = KappaWeights::none,
                                    const BootstrapOptions& options = {});

/// The same among any number of annotators who need not be the same ones from question to question (Fleiss 1971). Every
/// question has to have equally many answers: those that have as many as most questions do are used, others left out.
/// `n` counts questions.
std::optional<Estimate> fleiss_kappa(std::span<const Pattern> patterns, const BootstrapOptions& options = {});

}  // namespace rlhf::feedback::statistics
