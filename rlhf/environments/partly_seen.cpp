#include "rlhf/environments/partly_seen.h"

#include <ATen/ops/tensor.h>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

Spec reduced(Spec spec, const std::vector<std::int64_t>& numbers) {
  auto* box = std::get_if<Box>(&spec.observation);
  const auto refuse = [&](const std::string& what) {
    throw Error({.category = Category::usage,
                 .where = "observe",
                 .what = what,
                 .fix = "Name numbers of what " + spec.name + " shows, counted from 0: observe = [0, 2]"});
  };
  if (!box || box->shape.size() != 1) refuse("its observations are no row of numbers");
  Box seen{.dtype = box->dtype, .shape = {std::ssize(numbers)}, .low = {}, .high = {}};
  for (const auto number : numbers) {
    if (number < 0 || number >= box->shape[0])
      refuse("there is no number " + std::to_string(number) + " among " + std::to_string(box->shape[0]));
    const auto at = static_cast<std::size_t>(number);
    seen.low.push_back(box->low[box->low.size() == 1 ? 0 : at]);
    seen.high.push_back(box->high[box->high.size() == 1 ? 0 : at]);
  }
  spec.observation = seen;
  spec.settings["observe"] = numbers;
  return spec;
}

class PartlySeen final : public VectorEnvironment {
 public:
  PartlySeen(std::unique_ptr<VectorEnvironment> whole, const std::vector<std::int64_t>& numbers)
      : whole_(std::move(whole)), spec_(reduced(whole_->spec(), numbers)), numbers_(at::tensor(numbers)) {}

  const Spec& spec() const override { return spec_; }
  std::int64_t count() const override { return whole_->count(); }
  AutoReset auto_reset() const override { return whole_->auto_reset(); }
  const Tensor& reset(std::uint64_t seed) override { return seen_ = of(whole_->reset(seed)); }
  const VectorStep& step(const Tensor& actions) override {
    step_ = whole_->step(actions);
    seen_ = step_.observations = of(step_.observations);
    if (step_.final_observations.defined()) step_.final_observations = of(step_.final_observations);
    return step_;
  }
  Place place(std::int64_t environment) const override { return whole_->place(environment); }
  std::string state_of(std::int64_t environment) const override { return whole_->state_of(environment); }
  std::string state() const override { return whole_->state(); }
  void set_state(std::string_view bytes) override {
    whole_->set_state(bytes);
    seen_ = of(whole_->observations());
  }
  const Tensor& observations() const override { return seen_; }

 private:
  Tensor of(const Tensor& observations) const { return observations.index_select(1, numbers_); }

  std::unique_ptr<VectorEnvironment> whole_;
  Spec spec_;
  Tensor numbers_, seen_;
  VectorStep step_;
};

}  // namespace

std::unique_ptr<VectorEnvironment> partly_seen(std::unique_ptr<VectorEnvironment> environments,
                                               const std::vector<std::int64_t>& numbers) {
  return std::make_unique<PartlySeen>(std::move(environments), numbers);
}

}  // namespace rlhf::environments
