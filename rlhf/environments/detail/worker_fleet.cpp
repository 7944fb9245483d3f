#include "rlhf/environments/detail/worker_fleet.h"

#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/worker_spec.h"

namespace rlhf::environments {

WorkerFleet::WorkerFleet(const WorkerProgram& program, const WorkerCare& care, std::int64_t count,
                         std::function<void(std::string_view)> report)
    : count_(count), report_(std::move(report)), memory_(std::make_shared<SharedMemory>()) {
  if (count < 1)
    throw Error({.category = Category::usage,
                 .where = "environment " + program.name,
                 .what = "no environments were asked for",
                 .fix = "Take one or more."});
  const auto workers = std::clamp<std::int64_t>(care.workers, 1, count);
  for (std::int64_t w = 0; w < workers; ++w) {
    begins_.push_back(w * count / workers);
    hosts_.push_back(
        std::make_unique<WorkerHost>(program, care, *memory_, (w + 1) * count / workers - begins_.back()));
  }
  begins_.push_back(count);
  describe_and_attach(program);
}

void WorkerFleet::describe_and_attach(const WorkerProgram& program) {
  nlohmann::json first;
  for (const auto& host : hosts_) {
    const auto said = host->describe();
    if (first.is_null()) first = said;
    if (said != first)
      throw Error({.category = Category::failure,
                   .where = "environment " + program.name,
                   .what = "two of its workers describe it differently",
                   .fix = "Take workers = 1."});
  }
  spec_ = spec_of_worker(first, program);
  layout_.emplace(spec_, count_, static_cast<int>(hosts_.size()));
  memory_->allocate(layout_->total);
  for (std::size_t w = 0; w < hosts_.size(); ++w)
    hosts_[w]->attach(layout_->for_worker(static_cast<int>(w), begins_[w]));
  for (const std::size_t block : {0, 1}) block_tensors_[block] = tensor_at(layout_->observations[block]);
  finals_ = tensor_at(layout_->finals);
}

Tensor WorkerFleet::tensor_at(std::size_t place) const {
  constexpr at::ScalarType types[] = {at::kByte, at::kLong, at::kFloat, at::kDouble};
  const auto& box = std::get<Box>(spec_.observation);
  std::vector<std::int64_t> shape = {count_};
  shape.insert(shape.end(), box.shape.begin(), box.shape.end());
  return at::from_blob(memory_->data() + place, shape, [memory = memory_](void*) {},
                       at::TensorOptions(types[static_cast<int>(box.dtype)]));
}

std::size_t WorkerFleet::host_of(std::int64_t i) const {
  return static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), i) - begins_.begin()) - 1;
}

void WorkerFleet::set_block(std::size_t host, std::uint64_t block) {
  *at<std::uint64_t>(layout_->hearts + host * heart_stride + sizeof(std::uint64_t)) = block;
}

std::vector<WorkerFleet::Loss> WorkerFleet::round() {
  for (std::int64_t i = 0; i < count_; ++i)
    if (orders()[i] == Order::rest) std::memcpy(row_before(i), row(i), row_bytes());
  block_ = 1 - block_;
  for (std::size_t w = 0; w < hosts_.size(); ++w) {
    set_block(w, block_);
    hosts_[w]->ring();
  }
  std::vector<Loss> losses;
  for (std::size_t w = 0; w < hosts_.size(); ++w) {
    try {
      hosts_[w]->wait();
    } catch (const WorkerFailure& failure) {
      losses.push_back(recover(begins_[w], failure.what()));
    }
  }
  return losses;
}

WorkerFleet::Loss WorkerFleet::recover(std::int64_t i, std::string why) {
  const auto host = host_of(i);
  const Loss loss{begins_[host], begins_[host + 1], why};
  for (;;) try {
      hosts_[host]->restart(why);
      std::fill(orders() + loss.begin, orders() + loss.end, Order::begin);
      hosts_[host]->ring();
      hosts_[host]->wait();
      break;
    } catch (const WorkerFailure& again) {
      why = again.what();
    }
  report(fmt::format("environment {}: a worker was started anew and {} episode{} cut off, because {}", spec_.name,
                     loss.end - loss.begin, loss.end - loss.begin == 1 ? " was" : "s were", loss.why));
  return loss;
}

WorkerMessage WorkerFleet::ask(std::int64_t i, WorkerMessage question) {
  const auto host = host_of(i);
  question.head["environment"] = i - begins_[host];
  return hosts_[host]->ask(question);
}

void WorkerFleet::report(const std::string& text) const {
  if (report_)
    report_(text);
  else
    fmt::print(stderr, "{}\n", text);
}

}  // namespace rlhf::environments
