#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <new>

#include "app/commands.h"
#include "app/signals.h"
#include "app/version.h"
#include "rlhf/core/error.h"
#include "rlhf/core/progress.h"
#include "rlhf/text/tokenizer.h"

namespace rlhf::app {
namespace {

/// The flags of the program itself; they may stand before or behind the verb.
struct ProgramFlags {
  bool version = false;
  int threads = 0;  // 0: all cores, or OMP_NUM_THREADS
  Invocation call;  // verb first
};

std::string overview() {
  return fmt::format("usage: rlhf [--threads N] [--json] VERB ...\n\nReinforcement learning from human feedback, from label to aligned "
                     "policy, in one program.\n\n{}\n`rlhf VERB --help` lists a verb's settings; `rlhf --version` says what this program "
                     "is made of.\nData goes to standard output; progress, notes and errors to standard error.\n"
                     "Exit codes: 0 ok, 1 failure, 2 usage, 3 bad data, 4 resources, 5 a check failed, 130/143 interrupted.\n",
                     list_commands(commands()));
}

ProgramFlags read_program_flags(int argc, char** argv) {
  ProgramFlags flags;
  CLI::App parser;
  parser.set_help_flag();  // --help belongs to the verbs
  parser.allow_extras();
  parser.add_flag("--version", flags.version);
  parser.add_flag("--json", flags.call.json);
  parser.add_option("--threads", flags.threads)->check(CLI::PositiveNumber);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw Error({.category = Category::usage, .where = "rlhf", .what = error.what(), .fix = "`rlhf --help` shows the usage."});
  }
  flags.call.arguments = parser.remaining();
  return flags;
}

int run(int argc, char** argv) {
  auto flags = read_program_flags(argc, argv);
  if (flags.threads > 0) {
    at::set_num_threads(flags.threads);
    text::set_threads(flags.threads);
  }
  auto& arguments = flags.call.arguments;
  if (flags.version) {
    std::cout << version_text(flags.call.json);
    return 0;
  }
  if (arguments.empty()) {
    std::cerr << overview();
    return static_cast<int>(Category::usage);
  }
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    if (arguments.size() == 1) {
      std::cout << overview();
      return 0;
    }
    arguments = {arguments[1], "--help"};  // rlhf help VERB
  }
  if (arguments[0].starts_with("-")) {
    throw Error({.category = Category::usage,
                 .where = arguments[0],
                 .what = "there is no such flag",
                 .fix = "A verb comes first; `rlhf --help` lists them."});
  }
  return find_command(commands(), arguments[0], "verb").run(flags.call.without_first());
}

/// What went wrong, in one paragraph.
void complain(std::string_view problem) {
  const bool colour = standard_error().colour;
  std::cerr << (colour ? "\033[1;31merror:\033[0m " : "error: ") << problem << (problem.ends_with('\n') ? "" : "\n");
}

/// The first line of what a library threw: LibTorch adds a stack trace.
std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

int run_and_report(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    std::cout.flush();
    if (!std::cout) throw Error({.category = Category::resource, .where = "standard output", .what = "could not be written to the end"});
    return code;
  } catch (const Interrupted&) {
    complain("interrupted");
  } catch (const Error& error) {
    complain(error.what());
    return static_cast<int>(error.category());
  } catch (const std::bad_alloc&) {
    complain("out of memory. `rlhf plan` shows what needs how much and what to change.");
    return static_cast<int>(Category::resource);
  } catch (const std::exception& error) {
    const auto problem = first_line(error.what());
    complain(problem);
    const bool memory = problem.find("DefaultCPUAllocator") != std::string_view::npos;  // how LibTorch words it
    return static_cast<int>(memory ? Category::resource : Category::failure);
  }
  return static_cast<int>(Category::failure);
}

}  // namespace
}  // namespace rlhf::app

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  rlhf::app::install_signal_handlers();
  const int code = rlhf::app::run_and_report(argc, argv);
  // A verb that could save its work has returned as if nothing had happened.
  const int signal_code = rlhf::app::exit_code_of_signal();
  return signal_code != 0 ? signal_code : code;
}
