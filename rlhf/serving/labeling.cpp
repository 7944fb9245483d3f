#include "rlhf/serving/labeling.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/feedback/record.h"
#include "rlhf/serving/body.h"
#include "rlhf/serving/chat_turns.h"
#include "rlhf/serving/http.h"
#include "rlhf/serving/page_session.h"
#include "rlhf/serving/qualification.h"
#include "rlhf/serving/question_view.h"

namespace rlhf::serving {
namespace {

using feedback::Annotator;
using feedback::Answer;
using feedback::Assignment;
using feedback::Event;
using nlohmann::json;

constexpr std::int64_t most_at_once = 5;  // questions an annotator may hold
constexpr std::int64_t longest_wait = 60;  // seconds
constexpr int most_waiters = 32;           // each is a thread; more are told to ask again

Annotator annotator_of(const Request& request) { return {annotator_name(request), feedback::Source::human}; }

[[noreturn]] void refuse(Category category, std::string where, std::string what, std::string fix) {
  throw Error({.category = category, .where = std::move(where), .what = std::move(what), .fix = std::move(fix)});
}

double midnight(double now) { return now - std::fmod(now, 86400.0); }

}  // namespace

/// Counts those who wait for a question, as long as it lives.
class WaitingPlace {
 public:
  explicit WaitingPlace(std::atomic<int>& waiters) : waiters_(waiters) { ++waiters_; }
  ~WaitingPlace() { --waiters_; }
  WaitingPlace(const WaitingPlace&) = delete;
  WaitingPlace& operator=(const WaitingPlace&) = delete;

 private:
  std::atomic<int>& waiters_;
};

struct Labeling::State {
  feedback::Store& store;
  LabelingOptions options;
  Qualification qualification;
  std::unique_ptr<ChatTurns> chat;
  std::atomic<int> waiters{0};

  // Today's answers by annotator, counted once from the store and then kept.
  std::mutex mutex;
  struct Today {
    double begin = 0;
    std::int64_t answers = 0;
  };
  std::map<std::string, Today> today;

  double now() const { return options.now ? options.now() : wall_seconds(); }

  std::int64_t answers_today(const std::string& name) {
    const double begin = midnight(now());
    {
      const std::lock_guard guard(mutex);
      if (const auto found = today.find(name); found != today.end() && found->second.begin == begin)
        return found->second.answers;
    }
    const auto count = store.answered_by(name, begin);
    const std::lock_guard guard(mutex);
    today[name] = {begin, count};
    return count;
  }

  void count_today(const std::string& name, std::int64_t change) {
    answers_today(name);
    const std::lock_guard guard(mutex);
    today[name].answers += change;
  }

  json progress(const std::string& name) {
    const auto counts = store.counts();
    return {{"mine", store.answered_by(name)},
            {"mine_today", answers_today(name)},
            {"open", counts.open},
            {"answered", counts.answers},
            {"wanted", counts.answers + counts.open}};
  }

  Assignment assignment(const std::string& id, const Annotator& annotator) const {
    auto found = store.assignment(id);
    if (!found || found->annotator.name != annotator.name) {
      refuse(Category::check, "assignment " + id, "you do not hold this question any more",
             "It went back to the queue, or was answered; ask for the next one.");
    }
    return *found;
  }

  /// The answer of this annotator with that number, and its question.
  std::pair<Event, feedback::Question> own_answer(std::int64_t sequence, const Annotator& annotator) const {
    auto events = store.read(sequence - 1, 1);
    if (events.empty() || events[0].sequence != sequence || events[0].annotator.name != annotator.name ||
        !std::holds_alternative<Answer>(events[0].body)) {
      refuse(Category::check, "answer " + std::to_string(sequence), "it is none of yours", "");
    }
    auto question = store.question(events[0].question);
    return {std::move(events[0]), std::move(*question)};
  }

  Response project(const Request&);
  Response next(const Request& request);
  json next_of(const Annotator& annotator, std::int64_t count);
  void give_back(const json& assignments, const Annotator& annotator);
  Response when_asked(const Annotator& annotator, std::int64_t count, std::chrono::seconds wait);
  Response heartbeat(const Request& request);
  Response release(const Request& request);
  Response answer(const Request& request);
  Response revise(const Request& request);
  Response undo(const Request& request);
  Response history(const Request& request);
  Response chat_feedback(const Request& request);

  feedback::LeaseOptions lease_options() const {
    return {.timeout = options.lease,
            .forms = {},
            .gold_share = options.gold_share,
            .required_rounds = options.required_rounds};
  }
  json waiting(const Annotator& annotator) const;
};

Response Labeling::State::project(const Request&) {
  const auto guideline = store.document("guideline", "guideline");
  auto examples = json::array();
  for (const auto& each : store.documents("examples")) examples.push_back({{"title", each.name}, {"text", each.text}});
  auto forms = json::object();
  for (const auto& [name, form] : feedback::builtin_forms()) forms[name] = feedback::whole_json(form);
  return Response::json(
      {{"name", options.project},
       {"title", options.title},
       {"guideline", {{"version", guideline ? guideline->version : ""}, {"text", guideline ? guideline->text : ""}}},
       {"examples", examples},
       {"forms", forms},
       {"task", {{"consent", options.consent}, {"show_progress", options.show_progress}}}});
}

/// Why there is nothing to do: a person who waits must know what for.
json Labeling::State::waiting(const Annotator& annotator) const {
  for (const auto& record : store.annotators()) {
    if (record.name != annotator.name) continue;
    if (record.standing == feedback::Standing::paused)
      return {{"reason", "Your work is paused. Please talk to the owner of this project."}};
    if (record.standing == feedback::Standing::revoked)
      return {{"reason", "You have no access to this project any more."}};
    if (record.quota > 0 && store.answered_by(annotator.name) >= record.quota)
      return {{"reason", "You have done all that was asked of you. Thank you!"}, {"done", true}};
  }
  const auto counts = store.counts();
  if (counts.open > 0)
    return {{"reason", "The questions that are left are with others, or were answered by you."}, {"seconds", 5}};
  if (counts.questions == 0)
    return {{"reason", "No questions yet. They appear here as soon as there are some."}, {"seconds", 2}};
  return {{"reason", "All questions are answered. New ones appear here by themselves."}, {"seconds", 2}};
}

json Labeling::State::next_of(const Annotator& annotator, std::int64_t count) {
  auto held = store.held(annotator);
  while (static_cast<std::int64_t>(held.size()) < count) {
    auto leased = store.lease(annotator, lease_options());
    if (!leased) break;
    held.push_back(std::move(*leased));
  }
  auto assignments = json::array();
  for (const auto& each : held) {
    if (static_cast<std::int64_t>(assignments.size()) < count) assignments.push_back(view_of(each));
  }
  return {{"assignments", assignments},
          {"progress", progress(annotator.name)},
          {"waiting", assignments.empty() ? waiting(annotator) : json()}};
}

/// Whoever left while waiting keeps no question from the others.
void Labeling::State::give_back(const json& assignments, const Annotator& annotator) {
  for (const auto& each : assignments) store.release(assignment(each.at("id"), annotator));
}

/// Answers as soon as there is a question, on a thread of its own: those who wait keep no worker from the others.
Response Labeling::State::when_asked(const Annotator& annotator, std::int64_t count, std::chrono::seconds wait) {
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-store");
  response.endless = true;  // a server that stops does not wait for the question
  const auto place = std::make_shared<WaitingPlace>(waiters);
  response.stream = [this, annotator, count, wait, place](std::shared_ptr<Stream> stream) {
    const auto until = std::chrono::steady_clock::now() + wait;
    try {
      while (stream->connected()) {
        const auto seen = store.latest();
        const auto next = next_of(annotator, count);
        const std::chrono::duration<double> left = until - std::chrono::steady_clock::now();
        if (!next["assignments"].empty() || left.count() <= 0) {
          stream->write(next.dump(-1, ' ', false, json::error_handler_t::replace));
          if (!stream->flush()) give_back(next["assignments"], annotator);
          break;
        }
        // A lease that runs out is no entry of the log: look again now and then.
        store.wait(seen, std::min<std::chrono::duration<double>>(left, std::chrono::seconds(1)));
      }
    } catch (const Error& error) {
      stream->write(Response::error(error).body);
    }
    stream->close();
  };
  return response;
}

Response Labeling::State::next(const Request& request) {
  const auto annotator = annotator_of(request);
  const auto count = request.query_number("count", 1, 1, most_at_once);
  const auto wait = std::chrono::seconds(request.query_number("wait", 0, 0, longest_wait));
  auto now = next_of(annotator, count);
  const bool done = now["waiting"].is_object() && !now["waiting"].contains("seconds");  // nothing will come
  if (!now["assignments"].empty() || done || wait.count() == 0 || waiters >= most_waiters) return Response::json(now);
  return when_asked(annotator, count, wait);
}

Response Labeling::State::heartbeat(const Request& request) {
  const auto annotator = annotator_of(request);
  auto kept = json::array(), lost = json::array();
  for (const auto& id : body_field<std::vector<std::string>>(request.json(), "assignments")) {
    const auto found = store.assignment(id);
    const bool mine = found && found->annotator.name == annotator.name;
    (mine && store.extend(id, options.lease) ? kept : lost).push_back(id);
  }
  return Response::json({{"kept", kept}, {"lost", lost}});
}

Response Labeling::State::release(const Request& request) {
  store.release(assignment(body_field<std::string>(request.json(), "assignment"), annotator_of(request)));
  return Response::json({{"released", true}});
}

Response Labeling::State::answer(const Request& request) {
  const auto annotator = annotator_of(request);
  const auto body = request.json();
  const auto held = assignment(body_field<std::string>(body, "assignment"), annotator);
  const auto said = answer_from_view(body_field<json>(body, "answer"), held.question);
  const auto before = store.latest();
  const auto sequence = store.answer(held, said);
  if (sequence > before && !std::holds_alternative<feedback::Skip>(said.said)) count_today(annotator.name, 1);
  json answered = {{"sequence", sequence}, {"progress", progress(annotator.name)}};
  if (const auto verdict = qualification.after(annotator, held.question, said))
    answered["verdict"] = {{"right", verdict->right}, {"explanation", verdict->explanation}};
  return Response::json(answered);
}

Response Labeling::State::revise(const Request& request) {
  const auto annotator = annotator_of(request);
  const auto body = request.json();
  const auto earlier = body_field<std::int64_t>(body, "sequence");
  const auto [event, question] = own_answer(earlier, annotator);
  const auto said = answer_from_view(body_field<json>(body, "answer"), question);
  const auto sequence = store.revise(annotator, earlier, said);
  return Response::json({{"sequence", sequence}, {"progress", progress(annotator.name)}});
}

Response Labeling::State::undo(const Request& request) {
  const auto annotator = annotator_of(request);
  const auto taken_back = body_field<std::int64_t>(request.json(), "sequence");
  const auto [event, question] = own_answer(taken_back, annotator);
  const auto sequence = store.undo(annotator, taken_back);
  if (!std::holds_alternative<feedback::Skip>(std::get<Answer>(event.body).said)) count_today(annotator.name, -1);
  auto again = store.lease_question(annotator, question.id, options.lease);
  if (!again) {
    // Her own page, waiting for a question, may have been given it the moment it was open again.
    const auto held = store.held(annotator);
    const auto mine = std::find_if(held.begin(), held.end(), [&](const auto& each) { return each.question.id == question.id; });
    if (mine != held.end()) again = *mine;
  }
  return Response::json({{"sequence", sequence},
                         {"assignment", again ? view_of(*again) : json()},
                         {"answer", answer_view(std::get<Answer>(event.body), question)}});
}

Response Labeling::State::history(const Request& request) {
  const auto annotator = annotator_of(request);
  const auto before = request.query_number("before", 0, 0, std::numeric_limits<std::int64_t>::max());
  const auto limit = request.query_number("limit", 20, 1, 200);
  auto entries = json::array();
  for (const auto& event : store.search(
           {.text = {}, .annotator = annotator.name, .form = {}, .question = {}, .before = before, .limit = limit})) {
    const auto question = store.question(event.question);
    if (!question) continue;
    entries.push_back({{"sequence", event.sequence},
                       {"question", view_of(*question)},
                       {"answer", answer_view(std::get<Answer>(event.body), *question)},
                       {"answered_at", event.answered_at},
                       {"undone", false}});
  }
  return Response::json({{"entries", entries}});
}

/// What somebody thought of an answer in the chat: a question that is asked and answered at once.
Response Labeling::State::chat_feedback(const Request& request) {
  const auto annotator = annotator_of(request);
  const auto body = request.json();
  const auto candidates = body_field<std::vector<std::string>>(body, "candidates");
  const auto chosen = body_optional<std::int64_t>(body, "chosen");
  const auto stars = body_optional<double>(body, "stars");
  if (candidates.empty() || (!stars && !(chosen && candidates.size() == 2)))
    refuse(Category::bad_data, "chosen", "neither a choice between two candidates nor stars were given",
           "See docs/http_api.md.");
  feedback::Question question;
  question.form = feedback::builtin_form(stars ? "rating" : "pair");
  if (stars) question.form.parts.front().axes = {{.name = "rating", .label = "Stars", .low = 1, .high = 5}};
  question.id = "chat/" + annotator.name + "/" + sha256(body.dump() + std::to_string(now())).substr(0, 16);
  for (const auto& each : body_field<json>(body, "messages"))
    question.prompt.messages.push_back(
        {body_field<std::string>(each, "role"), body_field<std::string>(each, "content"), nullptr});
  question.prompt.id = question.id;
  const auto first = stars && chosen.value_or(0) == 1 && candidates.size() > 1 ? 1u : 0u;
  for (std::size_t i = stars ? first : 0; i < (stars ? first + 1 : candidates.size()); ++i) {
    feedback::Item item;
    item.text = candidates[i];
    item.sample = static_cast<int>(i);
    question.shown.push_back(static_cast<int>(question.items.size()));
    question.items.push_back(std::move(item));
  }
  question.reserved_for = annotator.name;
  store.publish(question);
  const auto held = store.lease_question(annotator, question.id, options.lease);
  if (!held) refuse(Category::check, "chat", "the answer could not be recorded", "Try again.");
  const Answer said =
      stars ? Answer(feedback::Rating{{{0, "rating", *stars}}}) : Answer(feedback::Comparison{.best = *chosen});
  return Response::json({{"sequence", store.answer(*held, said)}});
}

Labeling::Labeling(feedback::Store& store, LabelingOptions options, ChatFn chat)
    : state_(new State{store, options, Qualification(store, options.pass_mark, options.pause_mark), nullptr, {}, {}}) {
  if (chat) state_->chat = std::make_unique<ChatTurns>(store, std::move(chat), options.lease, options.heldout_share);
}

Labeling::~Labeling() = default;

void Labeling::add_routes(Router& router) {
  const RouteOptions annotators{.access = Access::annotators};
  const auto route = [state = state_](Response (State::*handler)(const Request&)) {
    return [state, handler](const Request& request) { return (*state.*handler)(request); };
  };
  router.get("/api/project", route(&State::project), annotators);
  router.get("/api/next", route(&State::next), annotators);
  router.post("/api/heartbeat", route(&State::heartbeat), annotators);
  router.post("/api/release", route(&State::release), annotators);
  router.post("/api/answer", route(&State::answer), annotators);
  router.post("/api/revise", route(&State::revise), annotators);
  router.post("/api/undo", route(&State::undo), annotators);
  router.get("/api/history", route(&State::history), annotators);
  router.post("/api/chat/feedback", route(&State::chat_feedback), annotators);
  if (!state_->chat) return;
  router.post(
      "/api/chat",
      [state = state_](const Request& request) {
        const auto annotator = annotator_of(request);
        const auto body = request.json();
        return state->chat->turn(annotator, state->assignment(body_field<std::string>(body, "assignment"), annotator),
                                 body_field<json>(body, "messages"));
      },
      annotators);
}

}  // namespace rlhf::serving
