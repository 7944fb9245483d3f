#pragma once
#include <string>
#include <vector>

#include "rlhf/evaluation/detail/report_data.h"

namespace rlhf::evaluation::detail {

/// Arms that are compared with each other, and by what. A run may hold several studies, whose scores say nothing about
/// each other's.
struct Study {
  std::string prefix;             // of the arms' names; left out where they are shown
  std::string title;              // empty: the only one of its run
  std::string score;              // the number of a row of arms.jsonl
  std::string unit;               // of the score, in words
  std::vector<std::string> arms;  // whole names, in the order of their first run

  std::string shown(const std::string& arm) const { return arm.substr(prefix.size()); }
};

/// The studies of a run that have an arm with a score: those of the recipes by their names (report_studies.cpp), all
/// other arms as one study of "return".
std::vector<Study> studies_of(const std::vector<nlohmann::json>& arms);

/// One number of each run of an arm that has it.
std::vector<double> values_of(const std::vector<nlohmann::json>& arms, const std::string& arm, const std::string& key);

/// The folders of an arm's runs.
std::vector<std::filesystem::path> folders_of(const ReportData& data, const std::string& arm);

/// The mean of what several runs gave at one place, and its bootstrap interval where they are several.
Point over_runs(double x, const std::vector<double>& values);

/// How the arms of a study learnt, one small chart for each, on one scale: what looks during a lesson saw
/// (curve.jsonl), or the true return of finished episodes (metrics.jsonl).
std::string learning_curves(const ReportData& data, const Study& study);

}  // namespace rlhf::evaluation::detail
