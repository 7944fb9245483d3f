#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::serving {

/// A number that goes up, or up and down.
class Gauge {
 public:
  void add(double amount = 1.0);
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0;
};
using Counter = Gauge;

/// How often a number was at most each bound.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  void observe(double value);

 private:
  friend class MetricsRegistry;
  const std::vector<double> bounds_;
  std::vector<std::atomic<long long>> counts_;  // one a bound, and one above
  std::atomic<double> sum_ = 0;
};

/// Numbers that a monitoring system reads, in Prometheus's text format 0.0.4. A metric is made where it is first named
/// and stays; the references are good as long as the registry. Usable from several threads.
class MetricsRegistry {
 public:
  using Labels = std::map<std::string, std::string>;

  /// Names as in Prometheus: "rlhf_http_requests_total"; a counter ends in _total, times are in seconds.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                       const Labels& labels = {});

  std::string text() const;

 private:
  struct Family {
    std::string kind, help;
    std::map<std::string, std::unique_ptr<Gauge>> values;  // by the text of their labels
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
  };
  Family& family(const std::string& name, const std::string& kind, const std::string& help);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

}  // namespace rlhf::serving
