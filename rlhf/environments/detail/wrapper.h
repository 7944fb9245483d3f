#pragma once
#include <cstring>
#include <memory>

#include "rlhf/environments/environment.h"

namespace rlhf::environments::detail {

/// An environment around another one; what a wrapper does not change is handed on. Its state is what it keeps itself,
/// a string of known length, and the state of what it is around.
class Wrapper : public Environment {
 public:
  explicit Wrapper(std::unique_ptr<Environment> inner) : inner_(std::move(inner)), spec_(inner_->spec()) {}

  const Spec& spec() const override { return spec_; }
  using Environment::reset;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override { return inner_->reset(seed, options); }
  Step step(const Action& action) override { return inner_->step(action); }
  Array observation() const override { return inner_->observation(); }
  std::string state() const override { return own_state() + inner_->state(); }
  void set_state(std::string_view bytes) override;
  Image render(int width, int height) const override { return inner_->render(width, height); }
  std::string text() const override { return inner_->text(); }

 protected:
  virtual std::string own_state() const { return {}; }
  /// `bytes` has the length of own_state().
  virtual void set_own_state(std::string_view /*bytes*/) {}

  Environment& inner() { return *inner_; }
  const Environment& inner() const { return *inner_; }

 private:
  std::unique_ptr<Environment> inner_;

 protected:
  Spec spec_;
};

/// A trivially copyable value as bytes, and back.
template <class Value>
std::string as_bytes(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
template <class Value>
void from_bytes(std::string_view bytes, Value& value) {
  std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof value);
}

/// The numbers of a picture [channels, height, width] of bytes. Throws rlhf::Error (usage) for other observations.
const Box& picture_of(const Spec& spec, const char* wrapper);

std::unique_ptr<Environment> limit_time(std::unique_ptr<Environment> inner, std::int64_t steps);
std::unique_ptr<Environment> fix_horizon(std::unique_ptr<Environment> inner, std::int64_t steps);
std::unique_ptr<Environment> stick_actions(std::unique_ptr<Environment> inner, double share);
std::unique_ptr<Environment> hide_reward(std::unique_ptr<Environment> inner);
std::unique_ptr<Environment> stack_frames(std::unique_ptr<Environment> inner, std::int64_t count);
struct Rectangle {
  std::int64_t left = 0, top = 0, width = 0, height = 0;  // pixels
};
std::unique_ptr<Environment> mask_score(std::unique_ptr<Environment> inner, const Rectangle& rectangle);
std::unique_ptr<Environment> show_picture(std::unique_ptr<Environment> inner, int width, int height, bool grey);

}  // namespace rlhf::environments::detail
