// What was said, as JSON. A new kind of feedback has to be given its record here.
#include <array>
#include <string>

#include "rlhf/feedback/detail/json_field.h"
#include "rlhf/feedback/detail/record_version.h"
#include "rlhf/feedback/record.h"

namespace rlhf::feedback {
namespace {

using detail::enum_of;
using detail::field;
using detail::field_or;
using detail::name_of;
using nlohmann::json;

constexpr detail::Names<Verdict, 3> verdict_names = {
    {{Verdict::ok, "ok"}, {Verdict::breach, "breach"}, {Verdict::unsure, "unsure"}}};
constexpr detail::Names<Belief, 3> belief_names = {
    {{Belief::no, "no"}, {Belief::yes, "yes"}, {Belief::unsure, "unsure"}}};

struct Writer {
  json operator()(const Comparison& said) const {
    json record = {{"kind", "comparison"}, {"best", said.best}, {"tie", said.tie}, {"strength", said.strength}};
    if (said.both_bad) record["both_bad"] = true;
    if (said.incomparable) record["incomparable"] = true;
    return record;
  }
  json operator()(const Ranking& said) const { return {{"kind", "ranking"}, {"groups", said.groups}}; }
  json operator()(const Rating& said) const {
    auto values = json::array();
    for (const auto& each : said.values)
      values.push_back({{"item", each.item}, {"axis", each.axis}, {"value", each.value}});
    return {{"kind", "rating"}, {"values", values}};
  }
  json operator()(const RuleJudgement& said) const {
    auto entries = json::array();
    for (const auto& each : said.entries)
      entries.push_back({{"item", each.item}, {"rule", each.rule}, {"verdict", name_of(verdict_names, each.verdict)}});
    return {{"kind", "rule_judgement"}, {"entries", entries}};
  }
  json operator()(const EvidenceJudgement& said) const {
    auto entries = json::array();
    for (const auto& each : said.entries)
      entries.push_back({{"item", each.item},
                         {"plausible", name_of(belief_names, each.plausible)},
                         {"supported", name_of(belief_names, each.supported)}});
    return {{"kind", "evidence_judgement"}, {"entries", entries}};
  }
  json operator()(const SpanCritique& said) const {
    auto spans = json::array();
    for (const auto& each : said.spans)
      spans.push_back({{"item", each.item},
                       {"begin", each.begin},
                       {"end", each.end},
                       {"category", each.category},
                       {"remark", each.remark}});
    return {{"kind", "span_critique"}, {"spans", spans}};
  }
  json operator()(const Correction& said) const {
    return {{"kind", "correction"}, {"item", said.item}, {"text", said.text}};
  }
  json operator()(const Demonstration& said) const { return {{"kind", "demonstration"}, {"text", said.text}}; }
  json operator()(const Conversation& said) const {
    auto messages = json::array();
    for (const auto& each : said.messages) messages.push_back({{"role", each.role}, {"content", each.content}});
    return {{"kind", "conversation"}, {"messages", messages}, {"turns", said.turns}};
  }
  json operator()(const Signals& said) const {
    return {{"kind", "signals"}, {"session", said.session}, {"count", said.count}};
  }
  json operator()(const HintJudgement& said) const {
    return {{"kind", "hint_judgement"}, {"opened", said.opened}, {"wrong", said.wrong}};
  }
  json operator()(const Skip& said) const { return {{"kind", "skip"}, {"reason", said.reason}}; }
};

Feedback comparison_from(const json& record, std::string_view where) {
  return Comparison{.best = field<std::int64_t>(record, "best", where),
                    .tie = field_or(record, "tie", where, false),
                    .strength = field_or(record, "strength", where, 1.0),
                    .both_bad = field_or(record, "both_bad", where, false),
                    .incomparable = field_or(record, "incomparable", where, false)};
}

Feedback ranking_from(const json& record, std::string_view where) {
  return Ranking{.groups = field<std::vector<std::vector<int>>>(record, "groups", where)};
}

Feedback rating_from(const json& record, std::string_view where) {
  // Version 1 had one item and one scale.
  if (record.contains("value"))
    return Rating{{{.item = 0, .axis = "rating", .value = field<double>(record, "value", where)}}};
  Rating said;
  for (const auto& each : detail::list(record, "values", where))
    said.values.push_back({field<int>(each, "item", where), field<std::string>(each, "axis", where),
                           field<double>(each, "value", where)});
  return said;
}

Feedback rules_from(const json& record, std::string_view where) {
  RuleJudgement said;
  for (const auto& each : detail::list(record, "entries", where))
    said.entries.push_back({field<int>(each, "item", where), field<std::string>(each, "rule", where),
                            enum_of(verdict_names, field<std::string>(each, "verdict", where), where, "verdict")});
  return said;
}

Feedback evidence_from(const json& record, std::string_view where) {
  EvidenceJudgement said;
  for (const auto& each : detail::list(record, "entries", where))
    said.entries.push_back({field<int>(each, "item", where),
                            enum_of(belief_names, field<std::string>(each, "plausible", where), where, "plausible"),
                            enum_of(belief_names, field<std::string>(each, "supported", where), where, "supported")});
  return said;
}

Feedback spans_from(const json& record, std::string_view where) {
  SpanCritique said;
  for (const auto& each : detail::list(record, "spans", where))
    said.spans.push_back({field<int>(each, "item", where), field<std::int64_t>(each, "begin", where),
                          field<std::int64_t>(each, "end", where), field<std::string>(each, "category", where),
                          field_or<std::string>(each, "remark", where, "")});
  return said;
}

Feedback correction_from(const json& record, std::string_view where) {
  return Correction{field<int>(record, "item", where), field<std::string>(record, "text", where)};
}

Feedback demonstration_from(const json& record, std::string_view where) {
  return Demonstration{field<std::string>(record, "text", where)};
}

Feedback conversation_from(const json& record, std::string_view where) {
  Conversation said;
  for (const auto& each : detail::list(record, "messages", where))
    said.messages.push_back(
        {field<std::string>(each, "role", where), field<std::string>(each, "content", where), json()});
  said.turns = field_or<std::vector<std::string>>(record, "turns", where, {});
  return said;
}

Feedback signals_from(const json& record, std::string_view where) {
  return Signals{field<std::string>(record, "session", where), field<std::int64_t>(record, "count", where)};
}

Feedback hints_from(const json& record, std::string_view where) {
  return HintJudgement{field<std::int64_t>(record, "opened", where),
                       field_or<std::vector<int>>(record, "wrong", where, {})};
}

Feedback skip_from(const json& record, std::string_view where) {
  return Skip{field<std::string>(record, "reason", where)};
}

using Reader = Feedback (*)(const json&, std::string_view);
constexpr std::array<std::pair<std::string_view, Reader>, 12> readers = {{{"comparison", comparison_from},
                                                                          {"ranking", ranking_from},
                                                                          {"rating", rating_from},
                                                                          {"rule_judgement", rules_from},
                                                                          {"evidence_judgement", evidence_from},
                                                                          {"span_critique", spans_from},
                                                                          {"correction", correction_from},
                                                                          {"demonstration", demonstration_from},
                                                                          {"conversation", conversation_from},
                                                                          {"signals", signals_from},
                                                                          {"hint_judgement", hints_from},
                                                                          {"skip", skip_from}}};

}  // namespace

json to_json(const Feedback& feedback) { return std::visit(Writer{}, feedback); }

Feedback feedback_from_json(const json& record, std::string_view where) {
  const auto kind = field<std::string>(record, "kind", where);
  std::string known;
  for (const auto& [name, read] : readers) {
    if (name == kind) return read(record, where);
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  detail::fail(where, "\"kind\" is \"" + kind + "\"; one of " + known + " was expected");
}

json to_json(const Answer& answer) {
  json record = {{"version", record_version}, {"said", to_json(answer.said)}};
  for (const auto& [part, said] : answer.details) record["details"][part] = to_json(said);
  if (answer.confidence) record["confidence"] = *answer.confidence;
  if (!answer.comment.empty()) record["comment"] = answer.comment;
  if (!answer.flags.empty()) record["flags"] = answer.flags;
  if (answer.active_seconds > 0) record["active_seconds"] = answer.active_seconds;
  if (!answer.client.is_null()) record["client"] = answer.client;
  return record;
}

Answer answer_from_json(const json& record, std::string_view where) {
  if (detail::require_version(record, where) == 1) return feedback_from_json(record, where);  // said, and nothing else
  Answer answer(feedback_from_json(field<json>(record, "said", where), where));
  const auto details = field_or(record, "details", where, json::object());
  for (const auto& [part, said] : details.items()) answer.details.emplace(part, feedback_from_json(said, where));
  if (record.contains("confidence") && !record["confidence"].is_null())
    answer.confidence = field<double>(record, "confidence", where);
  answer.comment = field_or<std::string>(record, "comment", where, "");
  answer.flags = field_or<std::vector<std::string>>(record, "flags", where, {});
  answer.active_seconds = field_or(record, "active_seconds", where, 0.0);
  answer.client = record.value("client", json());
  return answer;
}

}  // namespace rlhf::feedback
