// SPDX-License-Identifier: GPL-2.0-only
// Plays Atari games for a program that asks for it over a socket and shared memory. The protocol's description is
// docs/workers.md of the repository; this program shares no code with the one at the other end.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "game.h"

namespace atari {
namespace {

constexpr int line = 3, memory_file = 4;  // descriptors that we are started with
enum Order : std::uint8_t { rest, begin, next, step, step_next };

/// As recv, but the next order is often here sooner than a process that sleeps would be woken: for so long it asks
/// again and again, and gives way to whoever else wants the processor.
ssize_t receive_soon(void* to, std::size_t size) {
  constexpr auto soon = std::chrono::microseconds(100);
  const auto until = std::chrono::steady_clock::now() + soon;
  do {
    if (const auto got = ::recv(line, to, size, MSG_DONTWAIT); got >= 0 || errno != EAGAIN) return got;
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < until);
  return ::recv(line, to, size, 0);
}

void read_exactly(void* to, std::size_t size) {
  for (auto* at = static_cast<char*>(to); size > 0;) {
    const auto got = receive_soon(at, size);
    if (got <= 0) _exit(0);  // nobody is left who would ask
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

struct Message {
  nlohmann::json head;  // null: the doorbell of a round
  std::string bytes;
};

Message receive() {
  std::uint32_t sizes[2];
  read_exactly(sizes, sizeof sizes);
  std::string head(sizes[0], '\0');
  Message message;
  message.bytes.resize(sizes[1]);
  read_exactly(head.data(), head.size());
  read_exactly(message.bytes.data(), message.bytes.size());
  if (!head.empty()) message.head = nlohmann::json::parse(head);
  return message;
}

void send(const Message& message) {
  const auto head = message.head.is_null() ? std::string() : message.head.dump();
  const std::uint32_t sizes[2] = {static_cast<std::uint32_t>(head.size()),
                                  static_cast<std::uint32_t>(message.bytes.size())};
  const auto all = std::string(reinterpret_cast<const char*>(sizes), sizeof sizes) + head + message.bytes;
  for (std::size_t done = 0; done < all.size();) {
    const auto sent = ::send(line, all.data() + done, all.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) _exit(0);
    done += static_cast<std::size_t>(sent);
  }
}

/// Once a second, whatever the games do; ends the process when the one that started it is gone.
void beat(std::uint64_t* heart) {
  const auto parent = ::getppid();
  for (std::uint64_t count = 1; ::getppid() == parent; ++count) {
    std::atomic_ref(*heart).store(count, std::memory_order_relaxed);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  _exit(0);
}

class Worker {
 public:
  Worker(const nlohmann::json& settings, int count) {
    for (int i = 0; i < count; ++i) games_.push_back(std::make_unique<Game>(settings_from(settings)));
  }

  nlohmann::json spec() { return games_.front()->spec(); }

  void attach(const nlohmann::json& layout) {
    void* mapped = ::mmap(nullptr, layout.at("bytes"), PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("the shared memory cannot be mapped");
    memory_ = static_cast<char*>(mapped);
    orders_ = at<std::uint8_t>(layout.at("orders"));
    seeds_ = at<std::uint64_t>(layout.at("seeds"));
    actions_ = at<std::int64_t>(layout.at("actions"));
    rewards_ = at<double>(layout.at("rewards"));
    terminated_ = at<std::uint8_t>(layout.at("terminated"));
    truncated_ = at<std::uint8_t>(layout.at("truncated"));
    block_ = at<std::uint64_t>(layout.at("block"));
    for (int i : {0, 1}) observations_[i] = at<std::uint8_t>(layout.at("observations").at(i));
    finals_ = at<std::uint8_t>(layout.at("final_observations"));
    std::thread(beat, at<std::uint64_t>(layout.at("heart"))).detach();
  }

  void round() {
    for (std::size_t i = 0; i < games_.size(); ++i) {
      auto& game = *games_[i];
      if (orders_[i] == rest) continue;
      if (orders_[i] == begin || orders_[i] == next) {
        orders_[i] == begin ? game.begin(seeds_[i]) : game.next(seeds_[i]);
        rewards_[i] = terminated_[i] = truncated_[i] = 0;
      } else {
        const auto outcome = game.step(actions_[i]);
        rewards_[i] = outcome.reward;
        terminated_[i] = outcome.terminated;
        truncated_[i] = outcome.truncated;
        if (orders_[i] == step_next && !game.running()) {
          std::memcpy(finals_ + i * game.seen_bytes(), game.seen(), game.seen_bytes());
          game.next(seeds_[i]);
        }
      }
      show(i);
    }
  }

  Message answer(const Message& asked) {
    const std::string what = asked.head.at("do");
    const std::size_t i = asked.head.value("environment", 0);
    auto& game = *games_.at(i);
    if (what == "reset") {
      if (!asked.head.value("options", nlohmann::json()).empty())
        return {.head = {{"error", "reset has no options for Atari games"}}};
      game.begin(asked.head.at("seed"));
      show(i);
      return {.head = {{"info", nullptr}}};
    }
    if (what == "state") return {.head = {{"state", true}}, .bytes = game.state()};
    if (what == "set_state") {
      game.set_state(asked.bytes);
      show(i);
      return {.head = {{"running", game.running()}}};
    }
    if (what == "render")
      return {.head = {{"width", game.width()}, {"height", game.height()}}, .bytes = game.picture()};
    return {.head = {{"error", "the worker does not know how to do '" + what + "'"}}};
  }

 private:
  template <class T>
  T* at(std::size_t place) const {
    return reinterpret_cast<T*>(memory_ + place);
  }
  void show(std::size_t i) {
    const auto bytes = games_[i]->seen_bytes();
    std::memcpy(observations_[*block_ & 1] + i * bytes, games_[i]->seen(), bytes);
  }

  std::vector<std::unique_ptr<Game>> games_;
  char* memory_ = nullptr;
  std::uint8_t *orders_ = nullptr, *terminated_ = nullptr, *truncated_ = nullptr, *observations_[2] = {},
               *finals_ = nullptr;
  std::uint64_t *seeds_ = nullptr, *block_ = nullptr;
  std::int64_t* actions_ = nullptr;
  double* rewards_ = nullptr;
};

void serve() {
  send({.head = {{"hello", "rlhf-worker"}, {"protocol", 1}, {"program", "atari"}}});
  std::unique_ptr<Worker> worker;
  for (;;) {
    const auto asked = receive();
    try {
      if (asked.head.is_null()) {
        worker->round();
        send({});
      } else if (asked.head.at("do") == "make") {
        worker = std::make_unique<Worker>(asked.head.at("settings"), asked.head.at("count").get<int>());
        send({.head = {{"spec", worker->spec()}}});
      } else if (asked.head.at("do") == "attach") {
        worker->attach(asked.head);
        send({.head = {{"attached", true}}});
      } else {
        send(worker->answer(asked));
      }
    } catch (const std::exception& problem) {
      send({.head = {{"error", problem.what()}}});
    }
  }
}

}  // namespace
}  // namespace atari

int main() {
  if (::fcntl(3, F_GETFD) < 0) {
    std::fprintf(stderr, "This program is started by rlhf: rlhf env show atari\n");
    return 2;
  }
  ale::Logger::setMode(ale::Logger::Error);
  atari::serve();
}
