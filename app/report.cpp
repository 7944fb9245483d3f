#include "rlhf/evaluation/report.h"

#include <iostream>

#include "app/commands.h"
#include "app/flags.h"

namespace rlhf::app {
namespace {

struct ReportSettings {
  std::string run;

  void fields(Fields& f) { f.field("run", run, "folder of the run"); }
};

}  // namespace

int report(const Invocation& call) {
  ReportSettings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf report RUN",
                      .description = "Makes RUN/report.html, one self-contained page: what got better, what it cost, "
                                     "whether the reward was fooled.",
                      .positional = {"run"}},
                     settings))
    return 0;
  require_given("run", settings.run, "rlhf report runs/fine_tuning_from_preferences");
  std::cout << evaluation::write_report(settings.run).string() << "\n";
  return 0;
}

}  // namespace rlhf::app
