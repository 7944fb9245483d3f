#include "rlhf/control/frames.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>

namespace rlhf::control {
namespace {

char* bytes_of(const Tensor& tensor, std::int64_t row, std::size_t row_bytes) {
  return static_cast<char*>(tensor.mutable_data_ptr()) + static_cast<std::size_t>(row) * row_bytes;
}

std::vector<std::int64_t> with_rows(std::int64_t rows, std::vector<std::int64_t> shape) {
  shape.insert(shape.begin(), rows);
  return shape;
}

}  // namespace

Frames::Frames(const environments::Spec& spec) : stack_(std::get<environments::Box>(spec.observation).stack) {}

void Frames::allocate(const Tensor& observations, std::int64_t places) {
  row_shape_ = observations.sizes().slice(1).vec();
  auto part = row_shape_;
  if (stack_ > 1) part[0] /= stack_;
  parts_ = at::zeros(with_rows(places, part), observations.options());
  row_bytes_ = observations.nbytes() / static_cast<std::size_t>(observations.size(0));
  part_bytes_ = row_bytes_ / static_cast<std::size_t>(stack_);
}

Tensor Frames::rows(std::int64_t count) const { return at::empty(with_rows(count, row_shape_), parts_.options()); }

void Frames::put(const Tensor& observations, std::int64_t from, std::int64_t place, bool begins) {
  const char* row = bytes_of(observations, from, row_bytes_);
  std::memcpy(bytes_of(parts_, place, part_bytes_), row + row_bytes_ - part_bytes_, part_bytes_);
  if (stack_ == 1) return;
  if (begins)
    wholes_[place] = observations.narrow(0, from, 1).clone();
  else
    wholes_.erase(place);
}

void Frames::copy(std::int64_t place, const Before& before, const Tensor& to, std::int64_t row) const {
  char* target = bytes_of(to, row, row_bytes_);
  for (auto part = stack_ - 1;; --part) {
    if (stack_ > 1) {
      if (const auto whole = wholes_.find(place); whole != wholes_.end()) {
        // This place and those after it gave parts part .. stack-1; what lies before them was in its own stack.
        std::memcpy(target, bytes_of(whole->second, 0, 0) + static_cast<std::size_t>(stack_ - 1 - part) * part_bytes_,
                    static_cast<std::size_t>(part + 1) * part_bytes_);
        return;
      }
    }
    std::memcpy(target + static_cast<std::size_t>(part) * part_bytes_, bytes_of(parts_, place, part_bytes_),
                part_bytes_);
    if (part == 0) return;
    place = before(place);
  }
}

void Frames::begin_at(std::int64_t place, const Before& before) {
  if (stack_ == 1 || wholes_.contains(place)) return;
  auto whole = rows(1);
  copy(place, before, whole, 0);
  wholes_[place] = whole;
}

void Frames::save(State& state, const std::string& prefix, std::int64_t used) const {
  state.tensors[prefix] = parts_.narrow(0, 0, used);
  if (stack_ == 1) return;
  std::vector<std::int64_t> places;
  std::vector<Tensor> wholes;
  for (const auto& [place, whole] : wholes_) places.push_back(place);
  std::sort(places.begin(), places.end());
  for (const auto place : places) wholes.push_back(wholes_.at(place));
  state.values[prefix + ".begins"] = places;
  state.tensors[prefix + ".wholes"] = at::cat(wholes);
}

void Frames::restore(const State& state, const std::string& prefix) {
  const auto& stored = state.tensors.at(prefix);
  parts_.narrow(0, 0, stored.size(0)).copy_(stored);
  if (stack_ == 1) return;
  wholes_.clear();
  const auto& places = state.values.at(prefix + ".begins");
  const auto& wholes = state.tensors.at(prefix + ".wholes");
  for (std::size_t i = 0; i < places.size(); ++i)
    wholes_[places[i]] = wholes.narrow(0, static_cast<std::int64_t>(i), 1).clone();
}

}  // namespace rlhf::control
