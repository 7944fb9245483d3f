#pragma once
#include <string>
#include <string_view>

#include "rlhf/evaluation/detail/report_data.h"

namespace rlhf::evaluation::detail {

// The parts of the page, from top to bottom. Each is HTML, or empty when the run folder has nothing for it.

extern const std::string_view report_css;  // page/report.css, compiled in

std::string run_name(const ReportData& data);
std::string header(const ReportData& data);
std::string verdict_banner(const ReportData& data);
std::string headline_numbers(const ReportData& data);
std::string score_charts(const ReportData& data);
std::string behaviour_charts(const ReportData& data);
std::string training_charts(const ReportData& data);
std::string reward_model_charts(const ReportData& data);
std::string preference_charts(const ReportData& data);
std::string audit_charts(const ReportData& data);
std::string sample_pairs(const ReportData& data);
std::string labels_and_cost(const ReportData& data);
std::string agents_section(const ReportData& data);
std::string promises_section(const ReportData& data);
std::string arms_section(const ReportData& data);
std::string help_section(const ReportData& data);
std::string results_section(const ReportData& data);
std::string evaluation_table(const ReportData& data);
std::string settings_table(const ReportData& data);

/// A figure of {"error", "bins": [{"predicted", "observed", "pairs"}]}; empty without bins.
std::string calibration_figure(const nlohmann::json& calibration);

/// Figures side by side, unless there are none.
std::string side_by_side(const std::string& figures);

/// A table that may be wider than the page; `head` is its row of <th>, `body` its rows of <tr>.
std::string wide_table(const char* label, const std::string& head, const std::string& body);

/// <section> with a heading, unless there is no content.
std::string section(const char* id, const char* title, const std::string& lead, const std::string& content);

}  // namespace rlhf::evaluation::detail
