#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace rlhf {

/// What the standard error stream is connected to.
struct Terminal {
  bool interactive = false;  // a terminal that can redraw a line
  bool colour = false;       // NO_COLOR is unset and TERM is not "dumb"
  int width = 80;            // columns
};
Terminal standard_error();

struct ProgressOptions {
  Terminal terminal = standard_error();
  bool quiet = false;                           // writes nothing
  double redraw_every = 0.1;                    // s, on a terminal
  double line_every = 10;                       // s, plain lines elsewhere
  std::function<void(std::string_view)> write;  // empty: standard error
  std::function<double()> clock;                // s; empty: steady_seconds
};

/// `desc: 42%|███▎   | n/N [elapsed<eta, rate]`, redrawn in place on a terminal, a plain line now and then elsewhere.
/// Safe to call from several threads.
class Progress {
 public:
  explicit Progress(ProgressOptions options = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Starts a line; one that is running is finished first. `total` 0: not known. `done`: what a resumed run has behind
  /// it.
  void start(std::string_view what, std::int64_t total, std::int64_t done = 0);
  void advance(std::int64_t by = 1);
  void set(std::int64_t done);
  /// Shown behind the counts: "loss 0.52".
  void postfix(std::string_view text);
  /// Leaves the line as it is now and goes to the next one.
  void finish();
  /// Writes a line of text above the progress line.
  void print(std::string_view line);

 private:
  std::string line(double now) const;
  void draw(bool force);
  void emit(std::string_view text);

  ProgressOptions options_;
  std::mutex mutex_;
  std::string what_, postfix_;
  std::int64_t total_ = 0, done_ = 0, first_ = 0;
  double began_ = 0, drawn_ = 0;
  bool running_ = false, visible_ = false;
};

}  // namespace rlhf
