#include "app/signals.h"

#include <signal.h>
#include <unistd.h>

namespace rlhf::app {
namespace {

volatile sig_atomic_t arrived = 0;

extern "C" void note_signal(int number) {
  if (arrived != 0) ::_exit(128 + number);
  arrived = number;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = note_signal;  // without SA_RESTART, so that a chat waiting for its user wakes up
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return arrived != 0; }

int exit_code_of_signal() { return arrived == 0 ? 0 : 128 + arrived; }

void stop_if_requested() {
  if (stop_requested()) throw Interrupted();
}

}  // namespace rlhf::app
