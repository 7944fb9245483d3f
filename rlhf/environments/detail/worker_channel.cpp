#include "rlhf/environments/detail/worker_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>

#include "rlhf/core/clock.h"

namespace rlhf::environments {
namespace {

constexpr std::size_t output_kept = 2048, largest_head = 1 << 24, largest_bytes = 1 << 30;
constexpr double patience = 1.0;  // s in which a worker that was told to end may do so
constexpr double soon = 500e-6;   // s; an answer that comes sooner is here before a thread that sleeps would be woken

/// A descriptor above those that the worker will find its own under, so that none overwrites another.
int moved_up(int descriptor) {
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 16);
  ::close(descriptor);
  return moved;
}

/// A file in memory that reads as `text`.
int text_as_file(const std::string& text) {
  const int file = moved_up(::memfd_create("input", MFD_CLOEXEC));
  for (std::size_t done = 0; done < text.size();) {
    const auto written = ::write(file, text.data() + done, text.size() - done);
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  ::lseek(file, 0, SEEK_SET);
  return file;
}

/// Starts the program with these descriptors as 0 .. 4 and returns its process, or -1 with errno set.
pid_t spawn(const WorkerProgram& program, int input, int output, int socket, int memory) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const auto& [from, to] : {std::pair{input, 0}, {output, 1}, {output, 2}, {socket, 3}, {memory, 4}})
    posix_spawn_file_actions_adddup2(&files, from, to);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> words;
  for (const auto& word : program.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t process = -1;
  errno = ::posix_spawnp(&process, words[0], &files, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return errno == 0 ? process : -1;
}

}  // namespace

WorkerChannel::WorkerChannel(const WorkerProgram& program, int memory) : name_(program.name) {
  int sockets[2], outputs[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) throw failure("there is no socket for it");
  if (::pipe2(outputs, O_CLOEXEC) != 0) {
    ::close(sockets[0]), ::close(sockets[1]);
    throw failure("there is no pipe for its output");
  }
  socket_ = moved_up(sockets[0]), output_ = moved_up(outputs[0]);
  const int its_socket = moved_up(sockets[1]), its_output = moved_up(outputs[1]);
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
  const int input =
      program.input.empty() ? moved_up(::open("/dev/null", O_RDONLY | O_CLOEXEC)) : text_as_file(program.input);
  process_ = spawn(program, input, its_output, its_socket, memory);
  const std::string reason = std::strerror(errno);
  for (const int theirs : {its_socket, its_output, input}) ::close(theirs);
  if (process_ >= 0) return;
  ::close(socket_), ::close(output_);
  throw WorkerFailure(fmt::format("{} cannot be started: {}", program.command.at(0), reason));
}

WorkerChannel::~WorkerChannel() {
  ::close(socket_);  // a worker that reads the end of its socket leaves
  const double until = steady_seconds() + patience;
  bool gone = process_ < 0;
  while (!gone && steady_seconds() < until) {
    gone = ::waitpid(process_, nullptr, WNOHANG) != 0;
    if (!gone) {
      drain_output();  // it may be waiting to write
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  if (!gone) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ::close(output_);
}

void WorkerChannel::drain_output() {
  char piece[4096];
  for (ssize_t got; (got = ::read(output_, piece, sizeof piece)) > 0;) {
    said_.append(piece, static_cast<std::size_t>(got));
    if (said_.size() > 2 * output_kept) said_.erase(0, said_.size() - output_kept);
  }
}

std::string WorkerChannel::how_it_ended() {
  const double until = steady_seconds() + patience;
  while (process_ >= 0 && steady_seconds() < until) {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) {
      process_ = -1;
      if (WIFSIGNALED(status)) return fmt::format("it was ended by signal {}", WTERMSIG(status));
      return fmt::format("it ended with exit code {}", WEXITSTATUS(status));
    }
    drain_output();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return "it closed the line";
}

WorkerFailure WorkerChannel::failure(const std::string& what) {
  if (output_ >= 0) drain_output();
  auto said = said_.size() > output_kept ? said_.substr(said_.size() - output_kept) : said_;
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
  return WorkerFailure(said.empty() ? what : what + "; its last words:\n" + said);
}

void WorkerChannel::send(const WorkerMessage& message) {
  const auto head = message.head.is_null() ? std::string() : message.head.dump();
  const std::uint32_t sizes[2] = {static_cast<std::uint32_t>(head.size()),
                                  static_cast<std::uint32_t>(message.bytes.size())};
  std::string all(reinterpret_cast<const char*>(sizes), sizeof sizes);
  all += head;
  all += message.bytes;
  // A worker that reads nothing must not hold us: the socket takes what it can, and the rest waits for room.
  const double until = steady_seconds() + 60;
  for (std::size_t done = 0; done < all.size();) {
    const auto sent = ::send(socket_, all.data() + done, all.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN && steady_seconds() < until) {
      pollfd room{.fd = socket_, .events = POLLOUT};
      ::poll(&room, 1, 100);
      drain_output();
    } else if (errno != EINTR) {
      throw failure(errno == EAGAIN ? "it does not read what it is sent" : how_it_ended());
    }
  }
}

std::size_t WorkerChannel::take(char* to, std::size_t bytes) {
  const double until = steady_seconds() + soon;
  for (;;) {
    const auto got = ::recv(socket_, to, bytes, MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) throw failure(how_it_ended());
    if (steady_seconds() >= until) return 0;
    std::this_thread::yield();
  }
}

void WorkerChannel::read_exactly(char* to, std::size_t bytes, double until, const Beats& beats, double silence) {
  std::uint64_t beat = beats ? beats() : 0;
  double beaten = steady_seconds();
  const double begun = beaten;
  while (bytes > 0) {
    if (const auto got = take(to, bytes); got > 0) {
      to += got, bytes -= got;
      continue;
    }
    pollfd both[2] = {{.fd = socket_, .events = POLLIN}, {.fd = output_, .events = POLLIN}};
    const int ready = ::poll(both, 2, 100);
    if (ready > 0 && both[1].revents != 0) {
      drain_output();
      if (both[1].revents & POLLHUP) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // it closed its output
    }
    if (ready > 0 && both[0].revents != 0) continue;
    const double now = steady_seconds();
    if (now > until) throw failure(fmt::format("it gave no answer for {:.3g} s", now - begun));
    if (!beats) continue;
    if (const auto count = beats(); count != beat) {
      beat = count;
      beaten = now;
    } else if (now - beaten > silence) {
      throw failure(fmt::format("its heart has not beaten for {:.3g} s", now - beaten));
    }
  }
}

WorkerMessage WorkerChannel::receive(double timeout, const Beats& beats, double silence) {
  const double until = steady_seconds() + timeout;
  std::uint32_t sizes[2];
  read_exactly(reinterpret_cast<char*>(sizes), sizeof sizes, until, beats, silence);
  if (sizes[0] > largest_head || sizes[1] > largest_bytes)
    throw failure(fmt::format("what it sent is no message: it begins with {:08x} {:08x}", sizes[0], sizes[1]));
  WorkerMessage message;
  std::string head(sizes[0], '\0');
  message.bytes.resize(sizes[1]);
  read_exactly(head.data(), head.size(), until, beats, silence);
  read_exactly(message.bytes.data(), message.bytes.size(), until, beats, silence);
  if (head.empty()) return message;
  message.head = nlohmann::json::parse(head, nullptr, false);
  if (!message.head.is_object()) throw failure("what it sent is no JSON object: " + head.substr(0, 200));
  return message;
}

}  // namespace rlhf::environments
