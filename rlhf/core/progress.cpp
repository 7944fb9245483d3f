#include "rlhf/core/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include "rlhf/core/clock.h"

namespace rlhf {
namespace {

constexpr std::string_view clear_line = "\r\x1b[K";

// Columns of UTF-8 text, one a code point: bytes that do not continue another.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string first_columns(std::string_view text, std::size_t count) {
  std::size_t end = 0, seen = 0;
  while (end < text.size() && ((text[end] & 0xC0) == 0x80 || seen++ < count)) ++end;
  return std::string(text.substr(0, end));
}

// Eighths of a block make a short bar move smoothly.
std::string bar(double share, std::size_t width) {
  static constexpr std::string_view parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(share * static_cast<double>(width) * 8);
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += "█";
  out += parts[eighths % 8];
  out += std::string(width - std::min(width, (eighths + 7) / 8), ' ');
  return out;
}

std::string rate_as_text(double per_second) {
  if (!(per_second > 0) || !std::isfinite(per_second)) return "?it/s";
  return per_second >= 1 ? fmt::format("{:.2f}it/s", per_second) : fmt::format("{:.2f}s/it", 1 / per_second);
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value && *value;
}

}  // namespace

Terminal standard_error() {
  Terminal terminal;
  const char* kind = std::getenv("TERM");
  terminal.interactive = ::isatty(STDERR_FILENO) == 1 && kind && std::string_view(kind) != "dumb";
  terminal.colour = terminal.interactive && !is_set("NO_COLOR");
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
  return terminal;
}

Progress::Progress(ProgressOptions options) : options_(std::move(options)) {
  if (!options_.clock) options_.clock = steady_seconds;
  if (!options_.write) {
    options_.write = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  }
}

Progress::~Progress() { finish(); }

void Progress::start(std::string_view what, std::int64_t total, std::int64_t done) {
  finish();
  const std::lock_guard guard(mutex_);
  what_ = what;
  postfix_.clear();
  total_ = total;
  done_ = first_ = done;
  began_ = options_.clock();
  drawn_ = options_.terminal.interactive ? -std::numeric_limits<double>::infinity() : began_;
  running_ = true;
  draw(false);
}

void Progress::advance(std::int64_t by) {
  const std::lock_guard guard(mutex_);
  done_ += by;
  draw(false);
}

void Progress::set(std::int64_t done) {
  const std::lock_guard guard(mutex_);
  done_ = done;
  draw(false);
}

void Progress::postfix(std::string_view text) {
  const std::lock_guard guard(mutex_);
  postfix_ = text;
}

void Progress::finish() {
  const std::lock_guard guard(mutex_);
  if (!running_) return;
  draw(true);
  if (visible_) emit("\n");
  running_ = visible_ = false;
}

void Progress::print(std::string_view line) {
  const std::lock_guard guard(mutex_);
  if (visible_) emit(clear_line);
  visible_ = false;
  emit(fmt::format("{}\n", line));
  if (options_.terminal.interactive) draw(true);
}

std::string Progress::line(double now) const {
  const double elapsed = now - began_;
  const double rate = elapsed > 0 ? static_cast<double>(done_ - first_) / elapsed : 0;
  const double left = rate > 0 ? static_cast<double>(total_ - done_) / rate : std::numeric_limits<double>::infinity();
  const auto tail = postfix_.empty() ? "" : ", " + postfix_;
  if (total_ <= 0) {
    return fmt::format("{}: {} [{}, {}{}]", what_, done_, duration_as_text(elapsed), rate_as_text(rate), tail);
  }
  const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
  const auto head = fmt::format("{}: {:3}%", what_, static_cast<int>(share * 100));
  const auto counts = fmt::format("{}/{} [{}<{}, {}{}]", done_, total_, duration_as_text(elapsed),
                                  duration_as_text(left), rate_as_text(rate), tail);
  const auto taken = columns(head) + columns(counts) + 4;  // the bar's edges, a space, and the last column stays free
  const auto room = static_cast<std::size_t>(std::max(options_.terminal.width, 0));
  if (!options_.terminal.interactive || room < taken + 4) return head + " " + counts;
  return fmt::format("{}|{}| {}", head, bar(share, std::min<std::size_t>(room - taken, 40)), counts);
}

// The caller holds the mutex.
void Progress::draw(bool force) {
  if (!running_ || options_.quiet) return;
  const double now = options_.clock();
  const bool interactive = options_.terminal.interactive;
  if (!force && now - drawn_ < (interactive ? options_.redraw_every : options_.line_every)) return;
  drawn_ = now;
  if (interactive) {
    const auto room = static_cast<std::size_t>(std::max(options_.terminal.width - 1, 1));
    emit(fmt::format("{}{}", clear_line, first_columns(line(now), room)));
    visible_ = true;
  } else {
    emit(line(now) + "\n");
  }
}

void Progress::emit(std::string_view text) {
  if (!options_.quiet) options_.write(text);
}

}  // namespace rlhf
