#include "rlhf/serving/metrics_registry.h"

#include <fmt/format.h>

#include <algorithm>

namespace rlhf::serving {
namespace {

void add_to(std::atomic<double>& sum, double amount) {
  for (double old = sum.load(std::memory_order_relaxed);
       !sum.compare_exchange_weak(old, old + amount, std::memory_order_relaxed);) {
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += "\\n";
    if (c == '"' || c == '\\') out += '\\';
    if (c != '\n') out += c;
  }
  return out;
}

/// a="b",c="d"
std::string label_text(const MetricsRegistry::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value));
  return text;
}

std::string in_braces(const std::string& labels, const std::string& more = {}) {
  const auto all = labels + (labels.empty() || more.empty() ? "" : ",") + more;
  return all.empty() ? "" : "{" + all + "}";
}

}  // namespace

void Gauge::add(double amount) { add_to(value_, amount); }

void Histogram::observe(double value) {
  const auto slot = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(slot)].fetch_add(1, std::memory_order_relaxed);
  add_to(sum_, value);
}

MetricsRegistry::Family& MetricsRegistry::family(const std::string& name, const std::string& kind,
                                                 const std::string& help) {
  auto& found = families_[name];
  if (found.kind.empty()) found.kind = kind, found.help = help;
  return found;
}

Counter& MetricsRegistry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& value = family(name, "counter", help).values[label_text(labels)];
  if (!value) value = std::make_unique<Counter>();
  return *value;
}

Gauge& MetricsRegistry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& value = family(name, "gauge", help).values[label_text(labels)];
  if (!value) value = std::make_unique<Gauge>();
  return *value;
}

Histogram& MetricsRegistry::histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                                      const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& histogram = family(name, "histogram", help).histograms[label_text(labels)];
  if (!histogram) histogram = std::make_unique<Histogram>(std::move(bounds));
  return *histogram;
}

std::string MetricsRegistry::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help), name, family.kind);
    for (const auto& [labels, value] : family.values)
      out += fmt::format("{}{} {}\n", name, in_braces(labels), value->value());
    for (const auto& [labels, histogram] : family.histograms) {
      long long below = 0;
      for (std::size_t i = 0; i < histogram->counts_.size(); ++i) {
        below += histogram->counts_[i].load(std::memory_order_relaxed);
        const auto bound = i < histogram->bounds_.size() ? fmt::format("{}", histogram->bounds_[i]) : "+Inf";
        out += fmt::format("{}_bucket{} {}\n", name, in_braces(labels, "le=\"" + bound + "\""), below);
      }
      out += fmt::format("{}_sum{} {}\n", name, in_braces(labels), histogram->sum_.load());
      out += fmt::format("{}_count{} {}\n", name, in_braces(labels), below);
    }
  }
  return out;
}

}  // namespace rlhf::serving
