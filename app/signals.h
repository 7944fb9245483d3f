#pragma once

namespace rlhf::app {

/// SIGINT and SIGTERM: the first one is noted and a second one ends the process at once. A blocked read returns.
void install_signal_handlers();

/// Has one arrived? What RunOptions::stop_requested is set to.
bool stop_requested();

/// 128 plus the signal's number (130, 143), or 0 when none has arrived.
int exit_code_of_signal();

/// Thrown by work that cannot be saved when a signal has arrived; main returns exit_code_of_signal().
struct Interrupted {};

/// Throws Interrupted when a signal has arrived.
void stop_if_requested();

}  // namespace rlhf::app
