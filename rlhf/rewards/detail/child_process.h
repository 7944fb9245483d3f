#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace rlhf::rewards::detail {

/// A child process that is spoken to in lines. Its three standard streams are served together, so neither side can
/// block the other however much is queued. Not safe for several threads.
class ChildProcess {
 public:
  /// Throws rlhf::Error when the program cannot be started.
  explicit ChildProcess(const std::vector<std::string>& command);
  /// Closes the child's input, gives it two seconds to end by itself, then kills it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Queues bytes for the child's standard input; they are written while waiting for lines.
  void send(std::string_view bytes) { unsent_ += bytes; }

  enum class Event { line, closed, timeout };
  /// Waits for the next line of its standard output (without the newline).
  Event next_line(std::string& line, double timeout_seconds);

  /// After Event::closed: "exit status 3", "signal 9 (Killed)".
  std::string ending();
  /// The end of what it wrote on standard error.
  const std::string& error_tail() const { return errors_; }

 private:
  void serve(int timeout_ms);
  void read_from(int& descriptor, std::string& buffer);
  void write_to_child();
  bool reap(bool wait);

  pid_t pid_ = -1;
  int input_ = -1, output_ = -1, error_ = -1;  // our ends; -1 once closed
  int status_ = 0;
  std::string unsent_, received_, errors_;
};

}  // namespace rlhf::rewards::detail
