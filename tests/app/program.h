#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace rlhf::app {

/// What a call of the program left behind.
struct Outcome {
  int code = -1;  // exit code, or 128 + signal
  std::string output, errors;
};

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;  // added to this process's

/// Runs the program with `input` on its standard input until it ends.
Outcome run(const Arguments& arguments, const std::string& input = "", const Environment& environment = {});

/// Runs it with standard error on a terminal, which is what `errors` then holds.
Outcome run_on_terminal(const Arguments& arguments, const Environment& environment = {});

/// Starts it, waits until it has written `cue` to standard error or standard output, sends `signal`, and waits for the end. Its
/// standard input stays open.
Outcome run_and_signal(const Arguments& arguments, const std::string& cue, int signal);

/// A folder of tests/reference/models.
std::string tiny(const std::string& name);

/// A new empty folder, removed when the test program ends.
std::string scratch_folder(const std::string& name);

}  // namespace rlhf::app
