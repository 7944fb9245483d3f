#include "rlhf/serving/rate_limit.h"

#include <algorithm>

#include "rlhf/core/clock.h"

namespace rlhf::serving {

RateLimiter::RateLimiter(double rate, double burst, std::function<double()> now, std::size_t most_keys)
    : rate_(rate), burst_(burst), now_(now ? std::move(now) : steady_seconds), most_keys_(most_keys) {}

double RateLimiter::take(const std::string& key, double cost) {
  const std::lock_guard lock(mutex_);
  const double now = now_();
  if (buckets_.size() >= most_keys_ && !buckets_.contains(key)) make_room(now);
  auto& bucket = buckets_.try_emplace(key, Bucket{burst_, now}).first->second;
  bucket.level = std::min(burst_, bucket.level + (now - bucket.at) * rate_);
  bucket.at = now;
  // What costs more than a full bucket takes all of it: it would never pass otherwise.
  const double needed = std::min(cost, burst_);
  if (bucket.level < needed) return (needed - bucket.level) / rate_;
  bucket.level -= needed;
  return 0;
}

void RateLimiter::make_room(double now) {
  std::erase_if(buckets_,
                [&](const auto& entry) { return entry.second.level + (now - entry.second.at) * rate_ >= burst_; });
  // More keys at work than we remember is an attack from many addresses; forgetting one is the lesser harm.
  if (buckets_.size() >= most_keys_) buckets_.erase(buckets_.begin());
}

}  // namespace rlhf::serving
