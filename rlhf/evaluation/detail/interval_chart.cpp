#include "rlhf/evaluation/detail/interval_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlhf/evaluation/detail/chart.h"
#include "rlhf/evaluation/detail/html.h"

namespace rlhf::evaluation::detail {
namespace {

constexpr double width = 520, left = 152, right = 52, row_height = 22, axis_height = 36;

/// The round values along the bottom, and where a value lies between them.
struct Axis {
  std::vector<double> ticks;

  double across(double value) const {
    return left + (value - ticks.front()) / (ticks.back() - ticks.front()) * (width - left - right);
  }
};

Axis axis_of(const IntervalChart& chart) {
  std::vector<double> values;
  for (const auto& row : chart.rows) {
    values.insert(values.end(), {row.value, row.low.value_or(row.value), row.high.value_or(row.value)});
    values.insert(values.end(), row.runs.begin(), row.runs.end());
  }
  for (const auto& end : {chart.x_low, chart.x_high})
    if (end) values.push_back(*end);
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {.ticks = round_ticks(*low, *high)};
}

std::string shown(const IntervalChart& chart, double value) {
  return chart.as_percent ? percent(value) : short_number(value);
}

std::string grid(const IntervalChart& chart, const Axis& axis, double bottom) {
  std::string svg;
  for (const double tick : axis.ticks) {
    const double x = axis.across(tick);
    svg += fmt::format("<line class='grid' x1='{0:.1f}' x2='{0:.1f}' y1='4' y2='{1:.1f}'/>", x, bottom);
    svg += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>", x, bottom + 15,
                       tick_label(tick, axis.ticks, chart.as_percent));
  }
  return svg + fmt::format("<text class='axis' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>", width - right,
                           bottom + 31, escape(chart.x_name));
}

std::string drawn(const IntervalChart& chart, const IntervalRow& row, const Axis& axis, double y) {
  const double x = axis.across(row.value);
  std::string svg = fmt::format("<g class='series gold interval-row'><title>{}</title>", escape(row.note));
  svg += fmt::format("<text class='row-name' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>", left - 12, y + 4,
                     escape(row.name));
  for (const double run : row.runs)
    if (std::isfinite(run))
      svg += fmt::format("<circle class='run' cx='{:.1f}' cy='{:.1f}' r='2.4'/>", axis.across(run), y);
  if (row.low && row.high)
    svg += fmt::format("<line class='reach' x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}'/>", axis.across(*row.low),
                       axis.across(*row.high), y, y);
  svg += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='3.6'/>", x, y);
  return svg + fmt::format("<text class='row-value' x='{:.1f}' y='{:.1f}'>{}</text></g>", width - right + 10, y + 4,
                           shown(chart, row.value));
}

/// What a sighted reader takes from the rows.
std::string description(const IntervalChart& chart) {
  std::string text = chart.title + ". ";
  for (const auto& row : chart.rows) {
    text += fmt::format("{}: {}", row.name, shown(chart, row.value));
    if (row.low && row.high) text += fmt::format(", {} to {}", shown(chart, *row.low), shown(chart, *row.high));
    text += ". ";
  }
  return text;
}

}  // namespace

std::string figure(const IntervalChart& chart) {
  const auto axis = axis_of(chart);
  if (chart.rows.empty() || axis.ticks.empty()) return "";
  const double bottom = 8 + row_height * static_cast<double>(chart.rows.size());
  std::string svg = fmt::format("<svg viewBox='0 0 {:.0f} {:.0f}' role='img' aria-label=\"{}\">", width,
                                bottom + axis_height, escape(description(chart)));
  svg += grid(chart, axis, bottom);
  double y = 4 + row_height / 2;
  for (const auto& row : chart.rows) {
    if (std::isfinite(row.value)) svg += drawn(chart, row, axis, y);
    y += row_height;
  }
  return fmt::format("<figure><figcaption><h3>{}</h3><p>{}</p></figcaption>{}</svg></figure>\n", escape(chart.title),
                     escape(chart.caption), svg);
}

}  // namespace rlhf::evaluation::detail
