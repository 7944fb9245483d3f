#pragma once
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rlhf/core/tokens.h"
#include "rlhf/data/prompt.h"
#include "rlhf/feedback/form.h"

namespace rlhf::feedback {

/// Whether an answer trains or tests. Fixed when the question is made, so that no answer ever changes sides.
enum class Split { train, heldout };

enum class Source { human, model, simulated };

/// A passage that an item quotes in support of what it says.
struct Quote {
  std::string title, text;
};

/// One thing to judge: a completion (the ids are what a reward model will read, the text is what people read) or a
/// clip.
struct Item {
  std::string text;
  TokenIds ids;
  std::int64_t policy_version = 0;
  int sample = 0;             // index among the completions of the prompt
  std::vector<Quote> quotes;  // evidence shown with the text
  std::string clip;           // id of a clip's manifest in the media folder; empty for a text
  nlohmann::json segment;     // of a clip: the play that it shows, as data/segment.h writes it
};

/// Something that may help to judge: a critique, a finding, written by a model or a person. It speaks of a passage of
/// an item.
struct Hint {
  std::string text;
  int item = 0;
  std::int64_t begin = 0, end = 0;  // Unicode code points of the item's text, [begin, end); equal: of the whole item
};

struct Answer;

struct Question {
  std::string id;  // a function of how it came about (see question.h), so that a replayed run asks the same question
  Form form = builtin_form("pair");
  data::Prompt prompt;
  std::vector<Item> items;  // in the order they were made
  std::vector<int> shown;   // shown[place] = item: the order on the screen
  std::vector<Hint> hints;  // opened one by one, in this order, where the form asks about them
  Split split = Split::train;
  int answers = 1;                               // how many annotators should answer it
  double priority = 0.0;                         // greater is asked first
  std::string guideline;                         // version of the instructions in force
  std::string target;                            // what to probe: a rule, an attack; empty = nothing in particular
  std::string reserved_for;                      // an annotator's name: nobody else is asked; empty = everybody
  std::string round;                             // name of the qualification round it belongs to; empty = real work
  std::shared_ptr<const Answer> gold = nullptr;  // the known answer of a test question; never shown while work goes on
  std::string explanation;                       // of the gold answer, shown in qualification rounds
  nlohmann::json metadata;                       // anything else: stage, scores, ...
};

// --- what can be said about a question; items count in the order made, never in the order shown ---------------------

/// One item is better than the others.
struct Comparison {
  std::int64_t best = 0;
  bool tie = false;           // pairs only; `best` is then 0 and says nothing
  double strength = 1.0;      // (0, 1]: level chosen / levels offered; 1 where no levels were offered
  bool both_bad = false;      // a tie of items none of which is acceptable; `tie` is then true as well
  bool incomparable = false;  // nothing can be said; `best` is then 0 and says nothing
};

/// All items, best group first; items of one group are equally good.
struct Ranking {
  std::vector<std::vector<int>> groups;
};

/// A number on an axis of the form, for one item.
struct Rated {
  int item = 0;
  std::string axis;
  double value = 0.0;
};

struct Rating {
  std::vector<Rated> values;
};

enum class Verdict { ok, breach, unsure };

struct RuleJudgement {
  struct Entry {
    int item = 0;
    std::string rule;
    Verdict verdict = Verdict::ok;
  };
  std::vector<Entry> entries;
};

enum class Belief { no, yes, unsure };

struct EvidenceJudgement {
  struct Entry {
    int item = 0;
    Belief plausible = Belief::unsure, supported = Belief::unsure;
  };
  std::vector<Entry> entries;
};

struct SpanCritique {
  struct Span {
    int item = 0;
    std::int64_t begin = 0, end = 0;  // Unicode code points of the item's text, [begin, end)
    std::string category, remark;
  };
  std::vector<Span> spans;
};

/// What the item should have been.
struct Correction {
  int item = 0;
  std::string text;
};

/// What the annotator would have answered.
struct Demonstration {
  std::string text;
};

/// A dialogue that was held. Every turn with candidates is a question of its own, answered when it was made.
struct Conversation {
  std::vector<data::Message> messages;
  std::vector<std::string> turns;  // ids of the questions, in order
};

/// A real-time session that was held; each signal is an event of its own.
struct Signals {
  std::string session;
  std::int64_t count = 0;
};

/// Help that was looked at. Which hints misled trains whoever writes them.
struct HintJudgement {
  std::int64_t opened = 0;  // the question's first ones
  std::vector<int> wrong;   // of these
};

/// The annotator could or would not answer; somebody else may.
struct Skip {
  std::string reason;
};

using Feedback = std::variant<Comparison, Ranking, Rating, RuleJudgement, EvidenceJudgement, SpanCritique, Correction,
                              Demonstration, Conversation, Signals, HintJudgement, Skip>;

/// Everything that is said about one question: the form's first part, its other parts by name, and remarks.
struct Answer {
  Answer() = default;
  /// A plain judgement is an answer.
  template <class Kind>
    requires std::constructible_from<Feedback, Kind>
  Answer(Kind what) : said(std::move(what)) {}

  Feedback said;
  std::map<std::string, Feedback> details;
  std::optional<double> confidence;  // 0..1
  std::string comment;
  std::vector<std::string> flags;  // "unsafe", "personal data", "broken", ...
  double active_seconds = 0.0;     // with the page in view and somebody at it
  nlohmann::json client;           // version of the page, replays, helper opened, ...
};

// --- other entries of the log ---------------------------------------------------------------------------------------

/// Takes back an earlier answer of the same annotator. The answer stays in the log.
struct Undo {
  std::int64_t answer = 0;  // its sequence number
};

/// One press of a key while an agent runs.
struct ScalarSignal {
  std::string session;
  std::int64_t tick = 0;    // of the environment, when it was pressed
  double time = 0.0;        // seconds since the session began, on the session's clock
  double value = 0.0;       // +1, -1, +4, ...
  double delay = 0.0;       // measured way from screen to server and back, halved, in seconds
  std::int64_t number = 0;  // counts up in a session: a repeated signal is stored once
  std::int64_t undoes = 0;  // number of the signal that this one takes back; 0 = none
};

/// Instructions, a form or examples, in a version. The newest one under a name is in force.
struct Document {
  std::string kind;  // "guideline", "form", "examples"
  std::string name, version, text;
  bool ask_again = false;  // a guideline: questions asked under earlier versions are opened again
};

/// An annotator's events were removed on request.
struct Redaction {
  std::int64_t events = 0;
  std::string reason;
};

/// A change to what is asked: priority, number of answers wanted, withdrawal. What is not named stays.
struct Requeue {
  std::optional<double> priority;
  std::optional<int> answers;
  std::optional<bool> withdrawn;
  std::string reason;
};

/// Who says it, and with what authority.
struct Annotator {
  std::string name;
  Source source = Source::human;
};

/// Throws rlhf::Error (bad_data) when the question contradicts itself: no id, wrong number of items for its form, an
/// order shown that is no permutation, a gold answer that does not answer it.
void validate(const Question& question);

/// Throws rlhf::Error (bad_data) when the answer does not answer the question: another kind, an item that is not there,
/// a value beyond its scale, a required part left out.
void validate(const Answer& answer, const Question& question);

}  // namespace rlhf::feedback
