#include "rlhf/evaluation/report.h"

#include <fmt/format.h>

#include "rlhf/core/files.h"
#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation {
namespace {

constexpr auto page =
    "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
    "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
    "<title>{} \u00b7 run report</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}{}{}"
    "<footer>Made by rlhf.cpp from the files of this run folder. Nothing on this page was fetched from anywhere."
    "</footer>\n</main>\n</body>\n</html>\n";

/// Links to the sections that are there: read off the page, so that the two cannot disagree.
std::string navigation(const std::string& sections) {
  std::string links;
  const std::string open = "<section id='", heading = "'><h2>";
  for (auto at = sections.find(open); at != std::string::npos; at = sections.find(open, at + 1)) {
    const auto id = at + open.size(), id_end = sections.find(heading, id);
    const auto title = id_end + heading.size(), title_end = sections.find("</h2>", title);
    links += fmt::format("<a href='#{}'>{}</a>", sections.substr(id, id_end - id),
                         sections.substr(title, title_end - title));
  }
  return links.empty() ? "" : "<nav aria-label='Sections'>" + links + "</nav>\n";
}

}  // namespace

std::string report_page(const std::filesystem::path& run_folder) {
  const auto data = detail::ReportData::read(run_folder);
  const auto sections = detail::promises_section(data) + detail::arms_section(data) + detail::results_section(data) +
                        detail::agents_section(data) + detail::score_charts(data) + detail::sample_pairs(data) +
                        detail::behaviour_charts(data) + detail::reward_model_charts(data) +
                        detail::preference_charts(data) + detail::help_section(data) + detail::audit_charts(data) +
                        detail::training_charts(data) + detail::labels_and_cost(data) + detail::evaluation_table(data) +
                        detail::settings_table(data);
  const auto top = detail::header(data) + detail::verdict_banner(data) + detail::headline_numbers(data);
  return fmt::format(page, detail::escape(detail::run_name(data)), detail::report_css, top, navigation(sections),
                     sections);
}

std::filesystem::path write_report(const std::filesystem::path& run_folder) {
  const auto file = run_folder / "report.html";
  write_file_atomic(file, report_page(run_folder));
  return file;
}

}  // namespace rlhf::evaluation
