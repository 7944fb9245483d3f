#pragma once
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

namespace rlhf::serving {

/// Allowances that refill with time (token buckets), one a key: an address, a name. Usable from several threads.
class RateLimiter {
 public:
  /// `rate` per second, at most `burst` saved up. At most `most_keys` are remembered: then those that are full again
  /// are forgotten, which changes nothing for them.
  RateLimiter(double rate, double burst, std::function<double()> now = nullptr, std::size_t most_keys = 20000);

  /// Takes `cost` and returns 0, or takes nothing and returns the seconds until there is enough.
  double take(const std::string& key, double cost = 1.0);

 private:
  struct Bucket {
    double level = 0, at = 0;
  };
  void make_room(double now);

  const double rate_, burst_;
  const std::function<double()> now_;
  const std::size_t most_keys_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace rlhf::serving
