#include "tests/app/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

namespace rlhf::app {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    read = ends[0];
    write = ends[1];
  }
};

/// Only async-signal-safe calls and setenv, between fork and exec.
[[noreturn]] void become_program(const Arguments& arguments, const Environment& environment) {
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  std::string program = RLHF_BINARY;
  words.push_back(program.data());
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(RLHF_BINARY, words.data());
  ::_exit(127);
}

struct Process {
  pid_t id = -1;
  int input = -1, output = -1, errors = -1;
};

Process start(const Arguments& arguments, const Environment& environment) {
  const Pipe input, output, errors;
  Process process;
  process.id = ::fork();
  if (process.id == 0) {
    ::dup2(input.read, STDIN_FILENO);
    ::dup2(output.write, STDOUT_FILENO);
    ::dup2(errors.write, STDERR_FILENO);
    become_program(arguments, environment);
  }
  for (const int end : {input.read, output.write, errors.write}) ::close(end);
  process.input = input.write;
  process.output = output.read;
  process.errors = errors.read;
  return process;
}

/// Reads both streams until they end, or until one of them holds `cue` (when it isn't empty).
void read_until(const Process& process, Outcome& outcome, const std::string& cue) {
  std::array<pollfd, 2> streams{{{process.output, POLLIN, 0}, {process.errors, POLLIN, 0}}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    ::poll(streams.data(), streams.size(), -1);
    for (std::size_t i = 0; i < 2; ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) continue;
      char buffer[4096];
      const auto got = ::read(streams[i].fd, buffer, sizeof buffer);
      if (got <= 0) streams[i].fd = -1;
      else (i == 0 ? outcome.output : outcome.errors).append(buffer, static_cast<std::size_t>(got));
    }
    if (!cue.empty() && (outcome.output + outcome.errors).find(cue) != std::string::npos) return;
  }
}

int wait_for(pid_t id) {
  int status = 0;
  ::waitpid(id, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void close_all(const Process& process) {
  for (const int end : {process.input, process.output, process.errors}) {
    if (end >= 0) ::close(end);
  }
}

}  // namespace

Outcome run(const Arguments& arguments, const std::string& input, const Environment& environment) {
  ::signal(SIGPIPE, SIG_IGN);  // the program may end before it has read everything
  auto process = start(arguments, environment);
  for (std::size_t sent = 0; sent < input.size();) {
    const auto more = ::write(process.input, input.data() + sent, input.size() - sent);
    if (more <= 0) break;
    sent += static_cast<std::size_t>(more);
  }
  ::close(process.input);
  process.input = -1;
  Outcome outcome;
  read_until(process, outcome, "");
  outcome.code = wait_for(process.id);
  close_all(process);
  return outcome;
}

Outcome run_on_terminal(const Arguments& arguments, const Environment& environment) {
  int terminal = -1;
  Outcome outcome;
  const auto id = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (id == 0) {
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    become_program(arguments, environment);
  }
  char buffer[4096];
  for (ssize_t got; (got = ::read(terminal, buffer, sizeof buffer)) > 0;) outcome.errors.append(buffer, static_cast<std::size_t>(got));
  ::close(terminal);
  outcome.code = wait_for(id);
  return outcome;
}

Outcome run_and_signal(const Arguments& arguments, const std::string& cue, int signal) {
  auto process = start(arguments, {});
  Outcome outcome;
  read_until(process, outcome, cue);
  ::kill(process.id, signal);
  read_until(process, outcome, "");
  outcome.code = wait_for(process.id);
  close_all(process);
  return outcome;
}

std::string tiny(const std::string& name) { return RLHF_SOURCE_DIR "/tests/reference/models/" + name; }

std::string scratch_folder(const std::string& name) {
  struct Root {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("rlhf-app-tests-" + std::to_string(::getpid()));
    ~Root() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Root root;
  const auto folder = root.path / name;
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace rlhf::app
