// Wrappers that change what is seen of an environment, its reward included.
#include <algorithm>
#include <array>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/wrapper.h"

namespace rlhf::environments::detail {
namespace {

class HiddenReward final : public Wrapper {
 public:
  using Wrapper::Wrapper;
  Step step(const Action& action) override {
    auto step = inner().step(action);
    if (!step.info.is_object()) step.info = nlohmann::json::object();
    if (!step.info.contains("true_reward")) step.info["true_reward"] = step.reward;
    step.reward = 0;
    return step;
  }
};

class FrameStack final : public Wrapper {
 public:
  FrameStack(std::unique_ptr<Environment> inner, std::int64_t count)
      : Wrapper(std::move(inner)), count_(static_cast<std::size_t>(count)) {
    auto& box = std::get<Box>(spec_.observation);
    std::size_t numbers = 1;
    for (const auto side : box.shape) numbers *= static_cast<std::size_t>(side);
    frame_bytes_ = numbers * std::array<std::size_t, 4>{1, 8, 4, 8}[static_cast<std::size_t>(box.dtype)];
    frames_.assign(count_ * frame_bytes_, '\0');
    if (box.shape.empty()) box.shape = {1};
    box.shape[0] *= count;
    box.stack = count;  // whatever moved up inside of one part, does so no longer
    for (auto* bounds : {&box.low, &box.high}) {
      const auto one = *bounds;
      for (std::size_t i = 1; i < count_ && one.size() > 1; ++i) bounds->insert(bounds->end(), one.begin(), one.end());
    }
  }
  Start reset(std::uint64_t seed, const nlohmann::json& options) override {
    auto start = inner().reset(seed, options);
    for (std::size_t i = 0; i < count_; ++i) push(start.observation);
    start.observation = observation();
    return start;
  }
  Step step(const Action& action) override {
    auto step = inner().step(action);
    push(step.observation);
    step.observation = observation();
    return step;
  }
  Array observation() const override {
    switch (std::get<Box>(spec_.observation).dtype) {
      case Dtype::uint8:
        return all<std::uint8_t>();
      case Dtype::int64:
        return all<std::int64_t>();
      case Dtype::float32:
        return all<float>();
      default:
        return all<double>();
    }
  }

 private:
  void push(const Array& frame) {
    std::copy(frames_.begin() + static_cast<std::ptrdiff_t>(frame_bytes_), frames_.end(), frames_.begin());
    std::visit(
        [&](const auto& numbers) {
          std::memcpy(frames_.data() + frames_.size() - frame_bytes_, numbers.data(), frame_bytes_);
        },
        frame);
  }
  template <class Number>
  std::vector<Number> all() const {
    std::vector<Number> numbers(frames_.size() / sizeof(Number));
    std::memcpy(numbers.data(), frames_.data(), frames_.size());
    return numbers;
  }
  std::string own_state() const override { return frames_; }
  void set_own_state(std::string_view bytes) override { frames_ = bytes; }

  std::size_t count_, frame_bytes_ = 0;
  std::string frames_;  // the oldest first
};

/// A wrapper whose observation is a function of the inner one, or of its picture.
class Shown : public Wrapper {
 public:
  using Wrapper::Wrapper;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override {
    auto start = inner().reset(seed, options);
    start.observation = shown(std::move(start.observation));
    return start;
  }
  Step step(const Action& action) override {
    auto step = inner().step(action);
    step.observation = shown(std::move(step.observation));
    return step;
  }
  Array observation() const override { return shown(inner().observation()); }

 protected:
  virtual Array shown(Array seen) const = 0;
};

class ScoreMask final : public Shown {
 public:
  ScoreMask(std::unique_ptr<Environment> inner, const Rectangle& rectangle)
      : Shown(std::move(inner)), rectangle_(rectangle), shape_(picture_of(spec_, "score_mask").shape) {
    if (rectangle.left + rectangle.width > shape_[2] || rectangle.top + rectangle.height > shape_[1])
      throw Error({.category = Category::usage,
                   .where = "wrappers",
                   .what = "score_mask reaches out of the picture",
                   .fix = "Give left, top, width and height within " + std::to_string(shape_[2]) + " by " +
                          std::to_string(shape_[1]) + " pixels."});
  }

 private:
  Array shown(Array seen) const override {
    auto* pixels = std::get<std::vector<std::uint8_t>>(seen).data();
    for (std::int64_t channel = 0; channel < shape_[0]; ++channel)
      for (std::int64_t y = rectangle_.top; y < rectangle_.top + rectangle_.height; ++y)
        std::fill_n(pixels + (channel * shape_[1] + y) * shape_[2] + rectangle_.left, rectangle_.width, 0);
    return seen;
  }
  Rectangle rectangle_;
  std::vector<std::int64_t> shape_;
};

class Picture final : public Shown {
 public:
  Picture(std::unique_ptr<Environment> inner, int width, int height, bool grey)
      : Shown(std::move(inner)), width_(width), height_(height), grey_(grey) {
    if (!spec_.can.render)
      throw Error({.category = Category::usage,
                   .where = "wrappers",
                   .what = spec_.name + " has no picture",
                   .fix = "Leave `picture` out."});
    spec_.observation = Box{.dtype = Dtype::uint8, .shape = {grey ? 1 : 3, height, width}, .low = {0}, .high = {255}};
  }

 private:
  Array shown(Array) const override {
    const auto image = inner().render(width_, height_);
    const auto pixels = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    std::vector<std::uint8_t> seen(grey_ ? pixels : 3 * pixels);
    for (std::size_t i = 0; i < pixels; ++i) {
      const auto* rgb = &image.rgb[3 * i];
      if (grey_)  // brightness by ITU-R BT.601, in thousandths
        seen[i] = static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
      else
        for (std::size_t channel = 0; channel < 3; ++channel) seen[channel * pixels + i] = rgb[channel];
    }
    return seen;
  }
  int width_, height_;
  bool grey_;
};

}  // namespace

const Box& picture_of(const Spec& spec, const char* wrapper) {
  const auto& box = std::get<Box>(spec.observation);
  if (box.dtype == Dtype::uint8 && box.shape.size() == 3) return box;
  throw Error({.category = Category::usage,
               .where = "wrappers",
               .what = std::string(wrapper) + " is for pictures, and " + spec.name + " shows none",
               .fix = "Put `picture WIDTH HEIGHT` before it."});
}

std::unique_ptr<Environment> hide_reward(std::unique_ptr<Environment> inner) {
  return std::make_unique<HiddenReward>(std::move(inner));
}

std::unique_ptr<Environment> stack_frames(std::unique_ptr<Environment> inner, std::int64_t count) {
  return std::make_unique<FrameStack>(std::move(inner), count);
}

std::unique_ptr<Environment> mask_score(std::unique_ptr<Environment> inner, const Rectangle& rectangle) {
  return std::make_unique<ScoreMask>(std::move(inner), rectangle);
}

std::unique_ptr<Environment> show_picture(std::unique_ptr<Environment> inner, int width, int height, bool grey) {
  return std::make_unique<Picture>(std::move(inner), width, height, grey);
}

}  // namespace rlhf::environments::detail
