#include "rlhf/evaluation/detail/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "rlhf/evaluation/bootstrap.h"
#include "rlhf/evaluation/detail/html.h"

namespace rlhf::evaluation::detail {
namespace {

constexpr double width = 520, height = 250, left = 46, right = 96, top = 14, bottom = 34;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

struct Frame {
  std::vector<double> x_ticks, y_ticks;
  Range x, y;

  double across(double value) const { return left + (value - x.low) / (x.high - x.low) * (width - left - right); }
  double down(double value) const {
    return height - bottom - (value - y.low) / (y.high - y.low) * (height - top - bottom);
  }
};

Frame frame_of(const Chart& chart) {
  Frame frame;
  for (const auto& series : chart.series) {
    std::vector<double> values;
    for (const auto& point : series.points) {
      frame.x.include(point.x);
      if (std::isfinite(point.y)) values.push_back(point.y);
      if (point.low) frame.y.include(*point.low);
      if (point.high) frame.y.include(*point.high);
    }
    if (values.empty()) continue;
    // A few wild raw values must not flatten the curve that matters.
    std::sort(values.begin(), values.end());
    const double outside = series.faint && !series.scatter ? 0.02 : 0.0;
    frame.y.include(quantile(values, outside));
    frame.y.include(quantile(values, 1.0 - outside));
  }
  for (const auto& band : chart.bands) {
    frame.y.include(band.low);
    frame.y.include(band.high);
  }
  if (chart.y_low) frame.y.include(*chart.y_low);
  if (chart.y_high) frame.y.include(*chart.y_high);
  if (frame.x.empty() || frame.y.empty()) return frame;
  frame.y_ticks = round_ticks(frame.y.low, frame.y.high);
  frame.y = {frame.y_ticks.front(), frame.y_ticks.back()};
  if (frame.x.low == frame.x.high) frame.x.high = frame.x.low + 1.0;
  for (const double tick : round_ticks(frame.x.low, frame.x.high)) {
    if (chart.counts && tick != std::round(tick)) continue;
    if (tick >= frame.x.low - 1e-9 && tick <= frame.x.high + 1e-9) frame.x_ticks.push_back(tick);
  }
  return frame;
}

std::string axes(const Chart& chart, const Frame& frame) {
  std::string svg;
  for (const double tick : frame.y_ticks) {
    const double y = frame.down(tick);
    svg += fmt::format("<line class='{}' x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}'/>",
                       tick == 0.0 ? "zero" : "grid", left, width - right, y, y);
    svg += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>", left - 8, y + 4,
                       tick_label(tick, frame.y_ticks, chart.as_percent));
  }
  for (const double tick : frame.x_ticks) {
    svg += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>", frame.across(tick),
                       height - bottom + 17, tick_label(tick, frame.x_ticks, chart.diagonal && chart.as_percent));
  }
  svg += fmt::format("<text class='axis' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>", width - right, height - 3,
                     escape(chart.x_name));
  return svg;
}

std::string bands(const Chart& chart, const Frame& frame) {
  std::string svg;
  for (const auto& band : chart.bands) {
    const double upper = frame.down(band.high), lower = frame.down(band.low);
    if (band.high > band.low) {
      svg += fmt::format("<rect class='band' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}'/>", left, upper,
                         width - left - right, lower - upper);
    } else {
      svg += fmt::format("<line class='target' x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}'/>", left, width - right,
                         upper, upper);
    }
    svg += fmt::format("<text class='band-label' x='{:.1f}' y='{:.1f}'>{}</text>", left + 6, upper - 5,
                       escape(band.label));
  }
  return svg;
}

std::string path_of(const std::vector<Point>& points, const Frame& frame) {
  std::string path;
  for (const auto& point : points) {
    if (!std::isfinite(point.y)) continue;
    // A raw value beyond the axis is cut at its edge.
    const double y = std::clamp(point.y, frame.y.low, frame.y.high);
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.across(point.x), frame.down(y));
  }
  return path;
}

std::string interval_area(const Series& series, const Frame& frame) {
  std::string upper, lower;
  for (const auto& point : series.points) {
    if (!point.low || !point.high) continue;
    upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", frame.across(point.x), frame.down(*point.high));
    lower = fmt::format("L{:.1f} {:.1f}", frame.across(point.x), frame.down(*point.low)) + lower;
  }
  return upper.empty() ? "" : fmt::format("<path class='interval' d='{}{}Z'/>", upper, lower);
}

std::string scatter(const Series& series, const Frame& frame) {
  std::string svg = fmt::format("<g class='series scatter {}{}'>", series.tone, series.faint ? " faint" : "");
  for (const auto& point : series.points) {
    if (!std::isfinite(point.y)) continue;
    svg += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='2.6'>", frame.across(point.x), frame.down(point.y));
    if (!point.note.empty()) svg += fmt::format("<title>{}</title>", escape(point.note));
    svg += "</circle>";
  }
  return svg + "</g>";
}

std::string curve(const Series& series, const Frame& frame) {
  if (series.scatter) return scatter(series, frame);
  std::string svg = fmt::format("<g class='series {}{}{}'>", series.tone, series.dashed ? " dashed" : "",
                                series.faint ? " faint" : "");
  svg += interval_area(series, frame);
  svg += fmt::format("<path class='line' d='{}'/>", path_of(series.points, frame));
  for (const auto& point : series.points) {
    if (!series.dots || !std::isfinite(point.y)) continue;
    const auto note = point.note.empty() ? fmt::format("{}: {}", series.name, short_number(point.y)) : point.note;
    svg += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='3'><title>{}</title></circle>", frame.across(point.x),
                       frame.down(point.y), escape(note));
  }
  return svg + "</g>";
}

/// Names at the ends of the curves, pushed apart where they would overlap.
std::string end_labels(const Chart& chart, const Frame& frame) {
  struct Label {
    const Series* series;
    double x, y;
  };
  std::vector<Label> labels;
  for (const auto& series : chart.series) {
    if (series.faint || series.scatter || series.points.empty()) continue;
    const auto& last = series.points.back();
    labels.push_back({&series, frame.across(last.x) + 8, frame.down(std::clamp(last.y, frame.y.low, frame.y.high))});
  }
  std::stable_sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  constexpr double spacing = 30;  // two lines of text: name and value
  for (std::size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + spacing);
  const double lowest = height - bottom - 6;
  for (auto i = labels.size(); i-- > 0;) {
    labels[i].y = std::min(labels[i].y, i + 1 == labels.size() ? lowest : labels[i + 1].y - spacing);
  }
  std::string svg;
  for (const auto& [series, x, y] : labels) {
    const double last = series->points.back().y;
    const auto value = !series->end.empty() ? series->end : chart.as_percent ? percent(last) : short_number(last);
    svg += fmt::format("<text class='end {}' x='{:.1f}' y='{:.1f}'><tspan class='end-value'>{}</tspan>", series->tone,
                       x, y + (series->name.empty() ? 4 : 0), escape(value));
    if (!series->name.empty()) svg += fmt::format("<tspan x='{:.1f}' dy='13'>{}</tspan>", x, escape(series->name));
    svg += "</text>";
  }
  return svg;
}

/// What a sighted reader takes from the curves, in a sentence each.
std::string description(const Chart& chart) {
  std::string text;
  for (const auto& series : chart.series) {
    if ((series.faint && !series.scatter) || series.points.empty()) continue;
    const auto shown = [&](double value) { return chart.as_percent ? percent(value) : short_number(value); };
    const auto [low, high] = std::minmax_element(series.points.begin(), series.points.end(),
                                                 [](const Point& a, const Point& b) { return a.y < b.y; });
    if (series.scatter) {
      text += fmt::format("{}: {} points from {} to {}. ", series.name, series.points.size(), shown(low->y),
                          shown(high->y));
      continue;
    }
    text += fmt::format("{}: from {} to {}, lowest {}, highest {}. ", series.name.empty() ? chart.title : series.name,
                        shown(series.points.front().y), shown(series.points.back().y), shown(low->y), shown(high->y));
  }
  return text;
}

}  // namespace

std::vector<double> round_ticks(double low, double high) {
  if (!(high > low)) {
    const double margin = low == 0.0 ? 1.0 : std::abs(low) * 0.1;
    low -= margin;
    high += margin;
  }
  const double raw = (high - low) / 4.0;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10.0 * power;
  for (const double factor : {5.0, 2.5, 2.0, 1.0}) {
    if (factor * power >= raw * 0.999) step = factor * power;
  }
  std::vector<double> ticks;
  for (double i = std::floor(low / step + 1e-9); i <= std::ceil(high / step - 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

std::string tick_label(double value, const std::vector<double>& ticks, bool as_percent) {
  const double unit = as_percent ? 100.0 : 1.0;
  const double step = unit * (ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0);
  int decimals = 0;
  for (double scaled = step; decimals < 6 && std::abs(scaled - std::round(scaled)) > 1e-6; scaled *= 10.0) ++decimals;
  if (as_percent) return fixed(unit * value, decimals) + "%";
  return std::abs(value) >= 1000.0 && decimals == 0 ? grouped(value) : fixed(value, decimals);
}

std::vector<Point> smoothed(const std::vector<Point>& points, int window) {
  std::vector<Point> result;
  const auto count = static_cast<std::ptrdiff_t>(points.size()), reach = static_cast<std::ptrdiff_t>(window / 2);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const auto begin = std::max<std::ptrdiff_t>(i - reach, 0), end = std::min(i + reach + 1, count);
    double sum = 0.0;
    for (auto k = begin; k < end; ++k) sum += points[static_cast<std::size_t>(k)].y;
    result.push_back({.x = points[static_cast<std::size_t>(i)].x, .y = sum / static_cast<double>(end - begin)});
  }
  return result;
}

std::string figure(const Chart& chart) {
  const auto frame = frame_of(chart);
  if (frame.x.empty() || frame.y.empty()) return "";
  std::string svg = fmt::format("<svg viewBox='0 0 {:.0f} {:.0f}' role='img' aria-label=\"{}\">", width, height,
                                escape(chart.title + ". " + description(chart)));
  svg += bands(chart, frame) + axes(chart, frame);
  if (chart.diagonal) {
    const double low = std::max(frame.x.low, frame.y.low), high = std::min(frame.x.high, frame.y.high);
    svg += fmt::format("<line class='target' x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}'/>", frame.across(low),
                       frame.down(low), frame.across(high), frame.down(high));
  }
  for (const bool faint : {true, false}) {
    for (const auto& series : chart.series) {
      if (series.faint == faint && !series.points.empty()) svg += curve(series, frame);
    }
  }
  svg += end_labels(chart, frame) + "</svg>";
  return fmt::format("<figure><figcaption><h3>{}</h3><p>{}</p></figcaption>{}</figure>\n", escape(chart.title),
                     escape(chart.caption), svg);
}

std::string panels(const Chart& chart, const std::vector<Series>& series) {
  constexpr const char* tones[] = {"plain", "gold", "learned", "judge"};
  constexpr std::size_t others = std::size(tones) - 1;  // beside the first
  if (series.empty()) return "";
  Chart whole = chart;
  whole.series = series;
  const auto frame = frame_of(whole);
  const auto count = std::max<std::size_t>(1, (series.size() - 1 + others - 1) / others);
  std::string figures;
  for (std::size_t panel = 0; panel < count; ++panel) {
    Chart one = chart;
    one.y_low = frame.y.low, one.y_high = frame.y.high;
    if (count > 1) one.title += fmt::format(" ({} of {})", panel + 1, count);
    one.series = {series.front()};
    for (auto i = 1 + panel * others; i < std::min(series.size(), 1 + (panel + 1) * others); ++i)
      one.series.push_back(series[i]);
    for (std::size_t i = 0; i < one.series.size(); ++i) one.series[i].tone = tones[i];
    figures += figure(one);
  }
  return figures;
}

}  // namespace rlhf::evaluation::detail
