#include "rlhf/rewards/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"
#include "rlhf/rewards/length.h"
#include "rlhf/rewards/lexicon.h"
#include "rlhf/rewards/process.h"
#include "rlhf/rewards/regex.h"
#include "rlhf/rewards/vader.h"

namespace rlhf::rewards {
namespace {

struct VaderKind : RewardKind {
  void fields(Fields&) override {}
  RewardFn make() const override { return vader_reward(Vader::load_packaged()); }
};

struct AfinnKind : RewardKind {
  void fields(Fields&) override {}
  RewardFn make() const override { return afinn_judge(); }
};

struct LexiconKind : RewardKind {
  std::filesystem::path file;
  LexiconOptions options;

  void fields(Fields& f) override {
    f.field("file", file, "word list: one `word TAB value` a line");
    f.choice("total", options.total,
             {{"mean", LexiconTotal::mean}, {"sum", LexiconTotal::sum}, {"share", LexiconTotal::share}},
             "how the values of the words found become one number");
    f.field("scale", options.scale, "the result is multiplied by this");
    f.field("negation_window", options.negation_window, "a negator at most this many words earlier turns a value round");
    f.field("negation", options.negation, "what a negated value is multiplied by");
  }
  RewardFn make() const override { return lexicon_reward(Lexicon::load(file), options); }
};

struct LengthKind : RewardKind {
  LengthOptions options;

  void fields(Fields& f) override {
    f.choice("unit", options.unit,
             {{"tokens", LengthUnit::tokens}, {"words", LengthUnit::words}, {"characters", LengthUnit::characters}},
             "what is counted");
    f.field("target", options.target, "length to aim at; none rewards length itself");
  }
  RewardFn make() const override { return length_reward(options); }
};

struct RegexKind : RewardKind {
  RegexOptions options;

  void fields(Fields& f) override {
    f.field("pattern", options.pattern, "RE2 pattern");
    f.choice("mode", options.mode,
             {{"search", RegexMode::search}, {"full", RegexMode::full}, {"count", RegexMode::count}},
             "where the pattern has to match");
    f.field("ignore_case", options.ignore_case, "capital and small letters are equal");
    f.field("match", options.match, "score where it matches (mode count: for each match)");
    f.field("miss", options.miss, "score where it does not");
  }
  RewardFn make() const override { return regex_reward(options); }
};

struct ProcessKind : RewardKind {
  ProcessOptions options;

  void fields(Fields& f) override {
    f.field("command", options.command, "program and arguments of the child that speaks JSON lines");
    f.field("timeout_seconds", options.timeout_seconds, "longest wait for the next answer");
    f.field("restarts", options.restarts, "how often a child that died is started again in one batch");
  }
  RewardFn make() const override { return process_reward(options); }
};

template <class Kind>
std::unique_ptr<RewardKind> make_kind() {
  return std::make_unique<Kind>();
}

}  // namespace

RewardTable builtin_rewards() {
  return {{"afinn", make_kind<AfinnKind>},     {"length", make_kind<LengthKind>}, {"lexicon", make_kind<LexiconKind>},
          {"process", make_kind<ProcessKind>}, {"regex", make_kind<RegexKind>},   {"vader", make_kind<VaderKind>}};
}

std::unique_ptr<RewardKind> find_reward(const RewardTable& table, std::string_view name) {
  if (const auto found = table.find(name); found != table.end()) return found->second();
  std::vector<std::string> names;
  for (const auto& [known, make] : table) names.push_back(known);
  const auto close = nearest(name, names);
  throw Error({.category = Category::usage,
               .where = "rewards",
               .what = fmt::format("there is no reward '{}'; known: {}", name, fmt::join(names, ", ")),
               .fix = close ? fmt::format("Did you mean '{}'?", *close) : ""});
}

}  // namespace rlhf::rewards
