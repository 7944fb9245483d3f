#pragma once
#include <optional>
#include <string>
#include <vector>

namespace rlhf::evaluation::detail {

struct Point {
  double x = 0.0, y = 0.0;
  std::optional<double> low = std::nullopt, high = std::nullopt;  // drawn as a band around the line
  std::string note = {};                                          // shown when the pointer rests on the point
};

/// A curve. The tone is the class that colours it: gold, learned, judge, plain.
struct Series {
  std::string name;  // written at its end
  std::string tone;
  std::vector<Point> points;
  bool dots = false;  // mark every point: few, measured values
  bool dashed = false;
  bool faint = false;    // thin and pale: the raw values behind a smoothed curve; never labelled
  bool scatter = false;  // points only, in no order: no line, no label
  std::string end = {};  // written at its end instead of its last value
};

/// A horizontal stripe (a target) or, where low == high, a line.
struct Band {
  double low = 0.0, high = 0.0;
  std::string label;
};

struct Chart {
  std::string title;    // what the reader should see in it
  std::string caption;  // unit and how it was measured
  std::string x_name;
  std::vector<Series> series;
  std::vector<Band> bands = {};
  std::optional<double> y_low = std::nullopt, y_high = std::nullopt;  // the axis covers at least these
  bool diagonal = false;                                              // y = x, for calibration
  bool as_percent = false;
  bool counts = false;  // the x axis has whole numbers only
};

/// A <figure> with one inline SVG: axes, curves with their names at the end, a description for screen readers. Colours
/// come from the page's style sheet, so it follows light, dark and print. Empty when no series has a point.
std::string figure(const Chart& chart);

/// Many curves in figures of at most four each, all on one scale. The first is in every one, for comparison, so that
/// none has to be left out. `chart` says all but the curves; their tones are given here.
std::string panels(const Chart& chart, const std::vector<Series>& series);

/// Between 3 and 7 round values (1, 2, 2.5 or 5 times a power of ten) that cover [low, high].
std::vector<double> round_ticks(double low, double high);

/// One of `ticks` in words, with as many decimals as the distance between them needs.
std::string tick_label(double value, const std::vector<double>& ticks, bool as_percent);

/// The mean over the `window` points around each (fewer at the ends), for a curve that would otherwise be noise.
std::vector<Point> smoothed(const std::vector<Point>& points, int window);

}  // namespace rlhf::evaluation::detail
