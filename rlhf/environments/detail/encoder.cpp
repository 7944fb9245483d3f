#include "rlhf/environments/detail/encoder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "rlhf/core/error.h"

extern char** environ;

namespace rlhf::environments::detail {
namespace {

constexpr off_t tail = 1500;  // bytes of its standard error that an error quotes

/// Closed at the end of its scope.
struct Descriptor {
  int number = -1;

  explicit Descriptor(int opened) : number(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  void close() {
    if (number >= 0) ::close(number);
    number = -1;
  }
};

[[noreturn]] void fail(const std::string& program, std::string what, std::string fix) {
  throw Error({.category = Category::failure, .where = program, .what = std::move(what), .fix = std::move(fix)});
}

pid_t spawn(const std::vector<std::string>& command, int input, int errors) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  for (const int its : {STDOUT_FILENO, STDERR_FILENO}) posix_spawn_file_actions_adddup2(&files, errors, its);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t process = -1;
  const int code = ::posix_spawn(&process, words[0], &files, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (code != 0) fail(command[0], fmt::format("it cannot be started: {}", std::strerror(code)), "");
  return process;
}

/// Returns false when nobody reads any more. A socket, since writing to one that nobody reads can be kept from raising
/// SIGPIPE in the whole process.
bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string end_of(int file) {
  const auto size = ::lseek(file, 0, SEEK_END), from = std::max<off_t>(0, size - tail);
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, size - from)), '\0');
  const auto got = ::pread(file, text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return text;
}

int waited_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

std::optional<std::filesystem::path> program_on_path(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "";
  while (!rest.empty()) {
    const auto colon = std::min(rest.find(':'), rest.size());
    const auto file = std::filesystem::path(rest.substr(0, colon)) / name;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

void run_encoder(const std::vector<std::string>& command, const std::function<void(const Feed&)>& feed) {
  Descriptor errors(::memfd_create("errors", MFD_CLOEXEC));
  int ends[2] = {-1, -1};
  if (errors.number < 0 || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    fail(command[0], fmt::format("it cannot be spoken to: {}", std::strerror(errno)), "");
  Descriptor ours(ends[0]), its(ends[1]);
  const auto process = spawn(command, its.number, errors.number);
  its.close();
  if (feed) {
    try {
      feed([&](std::string_view bytes) { return send_all(ours.number, bytes); });
    } catch (...) {
      ::kill(process, SIGKILL);
      waited_for(process);
      throw;
    }
  }
  ours.close();
  const int status = waited_for(process);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  fail(command[0],
       (WIFEXITED(status) ? fmt::format("it gave up with status {}", WEXITSTATUS(status))
                          : fmt::format("signal {} ended it", WTERMSIG(status))) +
           "; its last words:\n" + end_of(errors.number),
       "A film named .png, or a folder of frames, needs no other program.");
}

}  // namespace rlhf::environments::detail
