#include "rlhf/rewards/detail/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "rlhf/core/error.h"

extern char** environ;

namespace rlhf::rewards::detail {
namespace {

constexpr std::size_t tail_bytes = 2000;

[[noreturn]] void fail(const std::string& program, int code) {
  throw Error({.category = Category::usage,
               .where = "rewards.process.command",
               .what = fmt::format("'{}' cannot be started: {}", program, std::strerror(code)),
               .fix = "Check the name; a script needs its interpreter in front of it, as in [\"python3\", \"reward.py\"]."});
}

struct Pipe {
  int ours = -1, theirs = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe", errno);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {.ours = ends[0], .theirs = ends[1]};
}

/// The child's input is a socket: writing to one whose reader has died can be kept from raising SIGPIPE, which a
/// library may not handle for the whole process.
Pipe make_input() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail("socketpair", errno);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {.ours = ends[0], .theirs = ends[1]};
}

void close_once(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  if (command.empty() || command.front().empty()) fail("", ENOENT);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  auto input = make_input(), output = make_pipe(), error = make_pipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.theirs, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.theirs, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, error.theirs, STDERR_FILENO);
  const int code = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  for (int end : {input.theirs, output.theirs, error.theirs}) ::close(end);
  input_ = input.ours;
  output_ = output.ours;
  error_ = error.ours;
  if (code != 0) {
    pid_ = -1;
    for (int* end : {&input_, &output_, &error_}) close_once(*end);
    fail(command.front(), code);
  }
}

ChildProcess::~ChildProcess() {
  close_once(input_);
  using namespace std::chrono_literals;
  for (int i = 0; i < 200 && pid_ > 0 && !reap(false); ++i) std::this_thread::sleep_for(10ms);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  close_once(output_);
  close_once(error_);
}

bool ChildProcess::reap(bool wait) {
  if (pid_ <= 0) return true;
  pid_t ended = 0;
  do {
    ended = ::waitpid(pid_, &status_, wait ? 0 : WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended == 0) return false;
  pid_ = -1;
  return true;
}

void ChildProcess::read_from(int& descriptor, std::string& buffer) {
  std::array<char, 65536> bytes{};
  const auto count = ::read(descriptor, bytes.data(), bytes.size());
  if (count > 0) buffer.append(bytes.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) close_once(descriptor);
}

void ChildProcess::write_to_child() {
  const auto count = ::send(input_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (count > 0) unsent_.erase(0, static_cast<std::size_t>(count));
  if (count < 0 && errno != EAGAIN && errno != EINTR) close_once(input_);
}

void ChildProcess::serve(int timeout_ms) {
  // poll passes over negative descriptors.
  std::array<pollfd, 3> waited{{{output_, POLLIN, 0}, {error_, POLLIN, 0}, {unsent_.empty() ? -1 : input_, POLLOUT, 0}}};
  if (::poll(waited.data(), waited.size(), timeout_ms) <= 0) return;
  if (waited[0].revents != 0) read_from(output_, received_);
  if (waited[1].revents != 0) {
    read_from(error_, errors_);
    if (errors_.size() > tail_bytes) errors_.erase(0, errors_.size() - tail_bytes);
  }
  if (waited[2].revents != 0) write_to_child();
}

ChildProcess::Event ChildProcess::next_line(std::string& line, double timeout_seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_seconds));
  std::size_t searched = 0;
  for (;;) {
    if (const auto end = received_.find('\n', searched); end != std::string::npos) {
      line.assign(received_, 0, end);
      received_.erase(0, end + 1);
      return Event::line;
    }
    searched = received_.size();
    if (output_ < 0) return Event::closed;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Event::timeout;
    serve(static_cast<int>(std::min<std::int64_t>(left, 1000)));
  }
}

std::string ChildProcess::ending() {
  for (int i = 0; i < 100 && error_ >= 0; ++i) serve(10);  // its last words
  close_once(input_);
  // Closed pipes come a little before the process has ended.
  for (int i = 0; i < 100 && !reap(false); ++i) ::usleep(10'000);
  if (pid_ > 0) {
    // It closed its output but lives on: of no use to us.
    ::kill(pid_, SIGTERM);
    reap(true);
    return "closed its standard output";
  }
  if (WIFSIGNALED(status_)) return fmt::format("signal {} ({})", WTERMSIG(status_), ::strsignal(WTERMSIG(status_)));
  return fmt::format("exit status {}", WEXITSTATUS(status_));
}

}  // namespace rlhf::rewards::detail
