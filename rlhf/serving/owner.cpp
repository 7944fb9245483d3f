#include "rlhf/serving/owner.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/feedback/quality.h"
#include "rlhf/feedback/record.h"
#include "rlhf/serving/body.h"
#include "rlhf/serving/http.h"
#include "rlhf/serving/qualification.h"
#include "rlhf/serving/question_view.h"
#include "rlhf/serving/run_views.h"

namespace rlhf::serving {
namespace {

using feedback::Answer;
using feedback::Event;
using feedback::Question;
using nlohmann::json;

constexpr std::array<std::pair<std::string_view, feedback::QueueFilter::State>, 6> queue_states = {
    {{"any", feedback::QueueFilter::State::any},
     {"open", feedback::QueueFilter::State::open},
     {"leased", feedback::QueueFilter::State::leased},
     {"done", feedback::QueueFilter::State::done},
     {"flagged", feedback::QueueFilter::State::flagged},
     {"withdrawn", feedback::QueueFilter::State::withdrawn}}};
constexpr std::array<std::pair<std::string_view, feedback::Standing>, 3> standings = {
    {{"active", feedback::Standing::active},
     {"paused", feedback::Standing::paused},
     {"revoked", feedback::Standing::revoked}}};

template <class Table>
auto named(const Table& table, std::string_view name, const char* where) {
  std::string known;
  for (const auto& [each, value] : table) {
    if (each == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(each);
  }
  throw Error({.category = Category::usage,
               .where = where,
               .what = "it is \"" + std::string(name) + "\"; one of " + known + " was expected",
               .fix = ""});
}

/// An owner sees who made the items, and what the known answer is.
json full_view(const Question& question) {
  auto view = view_of(question);
  view["split"] = feedback::split_name(question.split);
  view["metadata"] = question.metadata;
  view["policy_versions"] = json::array();
  for (const int item : question.shown)
    view["policy_versions"].push_back(question.items[static_cast<std::size_t>(item)].policy_version);
  if (question.gold) view["gold"] = answer_view(*question.gold, question);
  return view;
}

json entry_of(const feedback::QueueEntry& entry) {
  const auto& text = entry.question.prompt.messages.empty() ? entry.question.prompt.text
                                                            : entry.question.prompt.messages.back().content;
  const bool done = entry.given >= entry.wanted;
  return {{"id", entry.question.id},
          {"sequence", entry.sequence},
          {"form", entry.question.form.name},
          {"state", entry.withdrawn    ? "withdrawn"
                    : done             ? "done"
                    : entry.leased > 0 ? "leased"
                                       : "open"},
          {"wanted", entry.wanted},
          {"given", entry.given},
          {"flags", entry.flags},
          {"priority", entry.priority},
          {"split", feedback::split_name(entry.question.split)},
          {"prompt", text}};
}

}  // namespace

struct Owner::State {
  feedback::Store& store;
  OwnerOptions options;
  std::mutex mutex;  // of what follows
  feedback::Quality quality;

  /// The statistics, brought up to date; call with the mutex held.
  feedback::Quality& fresh() {
    feedback::follow(quality, store);
    return quality;
  }

  Response overview(const Request&);
  Response queue(const Request& request);
  Response requeue(const Request& request);
  Response agreement(const Request&);
  Response annotators(const Request&);
  Response set_annotator(const Request& request);
  Response erase(const Request& request);
  Response disagreements(const Request& request);
  Response search(const Request& request);
  Response document(const Request& request);
  Response set_document(const Request& request);
  Response add_questions(const Request& request);
  Response export_as(const Request& request);
  Response reward_points(const Request&);
};

Response Owner::State::overview(const Request&) {
  const auto counts = store.counts();
  // What was answered in the last hour tells the rate, the form and the time an answer takes.
  const double now = wall_seconds();
  std::map<std::string, std::vector<double>> seconds;
  std::int64_t last_hour = 0;
  for (const auto& event : store.search({.text = {}, .annotator = {}, .form = {}, .question = {}, .limit = 1000})) {
    last_hour += event.answered_at > now - 3600 ? 1 : 0;
    const auto& answer = std::get<Answer>(event.body);
    const auto question = store.question(event.question);
    const double taken = answer.active_seconds > 0 ? answer.active_seconds : event.answered_at - event.asked_at;
    if (question) seconds[question->form.name].push_back(taken);
  }
  auto forms = json::array();
  double typical = 0;
  std::int64_t timed = 0;
  for (auto& [form, all] : seconds) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
    const double median = all[all.size() / 2];
    forms.push_back({{"form", form}, {"answers", all.size()}, {"median_seconds", median}});
    typical += median * static_cast<double>(all.size());
    timed += static_cast<std::int64_t>(all.size());
  }
  typical = timed > 0 ? typical / static_cast<double>(timed) : options.seconds_per_answer;
  json left;
  if (last_hour > 0) left = static_cast<double>(counts.open) * 3600.0 / static_cast<double>(last_hour);
  return Response::json(
      {{"counts",
        {{"questions", counts.questions},
         {"open", counts.open},
         {"leased", counts.leased},
         {"answers", counts.answers},
         {"skips", counts.skips},
         {"undone", counts.undone}}},
       {"rate_per_hour", last_hour},
       {"seconds_left", left},
       {"forms", forms},
       {"projects", store.projects()},
       {"cost", {{"judgements", counts.open}, {"seconds", static_cast<double>(counts.open) * typical}}}});
}

Response Owner::State::queue(const Request& request) {
  feedback::QueueFilter filter;
  filter.state = named(queue_states, request.query_text("state", "any"), "state");
  filter.form = request.query_text("form");
  filter.before = request.query_number("before", 0, 0, std::numeric_limits<std::int64_t>::max());
  filter.limit = request.query_number("limit", 50, 1, 500);
  auto entries = json::array();
  for (const auto& entry : store.queue(filter)) entries.push_back(entry_of(entry));
  return Response::json({{"entries", entries}});
}

Response Owner::State::requeue(const Request& request) {
  const auto body = request.json();
  feedback::Requeue change;
  change.priority = body_optional<double>(body, "priority");
  change.answers = body_optional<int>(body, "answers");
  change.withdrawn = body_optional<bool>(body, "withdrawn");
  change.reason = body_optional<std::string>(body, "reason").value_or("");
  return Response::json({{"sequence", store.requeue(body_field<std::string>(body, "question"), change)}});
}

Response Owner::State::agreement(const Request&) {
  const std::lock_guard guard(mutex);
  auto report = feedback::to_json(fresh().agreement());
  // Raw agreement that papers measured among their own labelers, to compare with.
  report["reference"] = {{"InstructGPT, training labelers", 0.726},
                         {"InstructGPT, held-out labelers", 0.773},
                         {"summaries, labeler with researcher", 0.77},
                         {"HH, workers with authors", 0.63},
                         {"WebGPT, labeler with labeler", 0.73}};
  return Response::json(report);
}

Response Owner::State::annotators(const Request&) {
  const auto listed = store.annotators();
  const std::lock_guard guard(mutex);
  auto rows = json::array();
  for (const auto& report : fresh().annotators(listed)) rows.push_back(feedback::to_json(report));
  return Response::json({{"annotators", rows}});
}

Response Owner::State::set_annotator(const Request& request) {
  const auto body = request.json();
  const auto name = body_field<std::string>(body, "name");
  auto record = record_of(store, name);
  if (const auto standing = body_optional<std::string>(body, "standing"))
    record.standing = named(standings, *standing, "standing");
  if (const auto quota = body_optional<std::int64_t>(body, "quota")) record.quota = *quota;
  store.set(record);
  const auto password = body_optional<std::string>(body, "password");
  const auto role = body_optional<std::string>(body, "role");
  if (password || role) {
    if (!options.set_login) {
      throw Error({.category = Category::usage,
                   .where = "password",
                   .what = "this server has no logins: it listens on loopback only",
                   .fix = "Start it with --host to let others in."});
    }
    options.set_login(name, role.value_or("annotator"), password.value_or(""));
  }
  return Response::json({{"name", name}});
}

Response Owner::State::erase(const Request& request) {
  const auto body = request.json();
  const auto events =
      store.erase(body_field<std::string>(body, "annotator"), body_optional<std::string>(body, "reason").value_or(""));
  return Response::json({{"events", events}});
}

Response Owner::State::disagreements(const Request& request) {
  const auto limit = static_cast<std::size_t>(request.query_number("limit", 50, 1, 500));
  std::vector<feedback::Disagreement> found;
  {
    const std::lock_guard guard(mutex);
    found = fresh().disagreements(limit);
  }
  auto entries = json::array();
  for (const auto& each : found) {
    const auto question = store.question(each.question);
    if (!question) continue;
    auto answers = json::array();
    for (const auto& event : store.answers_to(each.question))
      answers.push_back({{"annotator", event.annotator.name},
                         {"source", feedback::source_name(event.annotator.source)},
                         {"answer", answer_view(std::get<Answer>(event.body), *question)},
                         {"answered_at", event.answered_at}});
    entries.push_back({{"question", full_view(*question)}, {"answers", answers}, {"split", each.split}});
  }
  return Response::json({{"entries", entries}});
}

Response Owner::State::search(const Request& request) {
  feedback::Search wanted;
  wanted.text = request.query_text("text");
  wanted.annotator = request.query_text("annotator");
  wanted.form = request.query_text("form");
  wanted.question = request.query_text("question");
  wanted.flagged = request.query_text("flagged") == "true" || request.query_text("flagged") == "1";
  wanted.skipped = request.query_text("skipped") == "true" || request.query_text("skipped") == "1";
  wanted.before = request.query_number("before", 0, 0, std::numeric_limits<std::int64_t>::max());
  wanted.limit = request.query_number("limit", 50, 1, 500);
  auto entries = json::array();
  for (const auto& event : store.search(wanted)) {
    const auto question = store.question(event.question);
    if (!question) continue;
    entries.push_back({{"sequence", event.sequence},
                       {"question", full_view(*question)},
                       {"answer", answer_view(std::get<Answer>(event.body), *question)},
                       {"annotator", event.annotator.name},
                       {"source", feedback::source_name(event.annotator.source)},
                       {"answered_at", event.answered_at},
                       {"split", feedback::split_name(question->split)}});
  }
  return Response::json({{"entries", entries}});
}

Response Owner::State::document(const Request& request) {
  const auto kind = request.query_text("kind", "guideline");
  const auto found = store.document(kind, request.query_text("name", kind));
  if (!found) return Response::error(404, "there is no such document yet");
  return Response::json({{"kind", found->kind},
                         {"name", found->name},
                         {"version", found->version},
                         {"text", found->text},
                         {"ask_again", found->ask_again}});
}

Response Owner::State::set_document(const Request& request) {
  const auto body = request.json();
  feedback::Document document{.kind = body_field<std::string>(body, "kind"),
                              .name = body_field<std::string>(body, "name"),
                              .version = body_field<std::string>(body, "version"),
                              .text = body_field<std::string>(body, "text"),
                              .ask_again = body_optional<bool>(body, "ask_again").value_or(false)};
  return Response::json({{"sequence", store.publish(document)}});
}

Response Owner::State::add_questions(const Request& request) {
  return Response::json({{"added", options.add_questions(request.body)}});
}

Response Owner::State::export_as(const Request& request) {
  const auto format = request.query_text("format", "events");
  auto response = Response::bytes(options.export_as(format, request.query_text("anonymous") == "true"),
                                  format == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson");
  response.headers.set("Content-Disposition", "attachment; filename=\"feedback-" +
                                                  (format == "csv" ? std::string("csv.csv") : "export.jsonl") + "\"");
  return response;
}

Response Owner::State::reward_points(const Request&) {
  return Response::json({{"points", reward_model_points(options.runs)}});
}

Owner::Owner(feedback::Store& store, OwnerOptions options)
    : state_(new State{store, std::move(options), {}, feedback::Quality()}) {}
Owner::~Owner() = default;

void Owner::add_routes(Router& router) {
  const RouteOptions owners{.access = Access::owners};
  const auto route = [state = state_](Response (State::*handler)(const Request&)) {
    return [state, handler](const Request& request) { return (*state.*handler)(request); };
  };
  router.get("/api/owner/overview", route(&State::overview), owners);
  router.get("/api/owner/queue", route(&State::queue), owners);
  router.post("/api/owner/requeue", route(&State::requeue), owners);
  router.get("/api/owner/agreement", route(&State::agreement), owners);
  router.get("/api/owner/annotators", route(&State::annotators), owners);
  router.post("/api/owner/annotators", route(&State::set_annotator), owners);
  router.post("/api/owner/erase", route(&State::erase), owners);
  router.get("/api/owner/disagreements", route(&State::disagreements), owners);
  router.get("/api/owner/search", route(&State::search), owners);
  router.get("/api/owner/document", route(&State::document), owners);
  router.post("/api/owner/document", route(&State::set_document), owners);
  router.get("/api/owner/reward", route(&State::reward_points), owners);
  if (state_->options.add_questions)
    router.post("/api/owner/questions", route(&State::add_questions),
                {.access = Access::owners, .body_limit = 64 << 20});
  if (state_->options.export_as) router.get("/api/owner/export", route(&State::export_as), owners);
}

}  // namespace rlhf::serving
