#pragma once
// Workers that step together. Private to environments.
#include "rlhf/environments/detail/worker_host.h"

namespace rlhf::environments {

/// `count` environments shared out among processes, and the memory in which they meet.
class WorkerFleet {
 public:
  WorkerFleet(const WorkerProgram& program, const WorkerCare& care, std::int64_t count,
              std::function<void(std::string_view)> report);

  const Spec& spec() const { return spec_; }
  std::int64_t count() const { return count_; }

  // [count] each, in shared memory.
  Order* orders() const { return at<Order>(layout_->orders); }
  std::uint64_t* seeds() const { return at<std::uint64_t>(layout_->seeds); }  // of the episode to come
  char* actions() const { return at<char>(layout_->actions); }
  const double* rewards() const { return at<double>(layout_->rewards); }
  const std::uint8_t* terminated() const { return at<std::uint8_t>(layout_->terminated); }
  const std::uint8_t* truncated() const { return at<std::uint8_t>(layout_->truncated); }

  std::size_t row_bytes() const { return layout_->observation_bytes; }
  std::size_t action_bytes() const { return layout_->action_bytes; }
  /// What environment i sees now; what it saw before the last round; where its last episode ended.
  char* row(std::int64_t i) const { return at<char>(layout_->observations[block_]) + offset(i); }
  char* row_before(std::int64_t i) const { return at<char>(layout_->observations[1 - block_]) + offset(i); }
  char* final_row(std::int64_t i) const { return at<char>(layout_->finals) + offset(i); }
  /// All rows as tensors that keep the memory alive, [count, ...].
  Tensor observations() const { return block_tensors_[block_]; }
  Tensor finals() const { return finals_; }

  /// Carries out the orders; rows that rest keep what they show. Environments begin .. end - 1 of each loss were in a
  /// worker that failed: they are at the start of the episodes of their seeds.
  struct Loss {
    std::int64_t begin, end;
    std::string why;
  };
  std::vector<Loss> round();

  /// Asks the worker of environment i; the question's "environment" is filled in.
  WorkerMessage ask(std::int64_t i, WorkerMessage question);

  /// Starts the worker of environment i anew, its environments at the start of the episodes of their seeds.
  Loss recover(std::int64_t i, std::string why);

  void report(const std::string& text) const;

 private:
  template <class T>
  T* at(std::size_t place) const {
    return reinterpret_cast<T*>(memory_->data() + place);
  }
  std::size_t offset(std::int64_t i) const { return static_cast<std::size_t>(i) * layout_->observation_bytes; }
  std::size_t host_of(std::int64_t i) const;
  void set_block(std::size_t host, std::uint64_t block);
  Tensor tensor_at(std::size_t place) const;
  void describe_and_attach(const WorkerProgram& program);

  std::int64_t count_;
  std::function<void(std::string_view)> report_;
  std::shared_ptr<SharedMemory> memory_;
  std::vector<std::unique_ptr<WorkerHost>> hosts_;
  std::vector<std::int64_t> begins_;  // first environment of each host, and the end
  Spec spec_;
  std::optional<WorkerLayout> layout_;
  std::size_t block_ = 0;
  Tensor block_tensors_[2], finals_;
};

}  // namespace rlhf::environments
