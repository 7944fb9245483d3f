#include "rlhf/feedback/assistance_graph.h"

#include <algorithm>
#include <set>

#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

[[noreturn]] void refuse(const AssistanceGraph& graph, std::string what, std::string fix) {
  throw Error({.category = Category::bad_data,
               .where = "assistance graph " + graph.name,
               .what = std::move(what),
               .fix = std::move(fix)});
}

std::string text(const nlohmann::json& record, const char* field, std::string_view where) {
  if (record.is_object() && record.contains(field) && record[field].is_string()) return record[field];
  throw Error({.category = Category::bad_data,
               .where = std::string(where),
               .what = std::string("the field \"") + field + "\" is missing or no text",
               .fix = ""});
}

}  // namespace

std::vector<std::string> AssistanceGraph::order() const {
  std::vector<std::string> done;
  std::set<std::string> ready;
  while (done.size() < nodes.size()) {
    const auto next = std::find_if(nodes.begin(), nodes.end(), [&](const AssistanceNode& node) {
      return !ready.contains(node.name) && std::all_of(edges.begin(), edges.end(), [&](const auto& edge) {
        return edge.second != node.name || ready.contains(edge.first);
      });
    });
    if (next == nodes.end()) refuse(*this, "its edges run in a circle", "An evaluation is done from the leaves up.");
    ready.insert(next->name);
    done.push_back(next->name);
  }
  return done;
}

void validate(const AssistanceGraph& graph) {
  if (graph.nodes.empty()) refuse(graph, "it has no node", "Name at least the evaluation itself.");
  std::set<std::string> names, feeding;
  for (const auto& node : graph.nodes) {
    if (node.name.empty() || !names.insert(node.name).second)
      refuse(graph, "the name \"" + node.name + "\" is empty or there twice", "Give each node its own name.");
    if (node.answerer.empty())
      refuse(graph, "nobody answers \"" + node.name + "\"", "Say \"person\" or name a helper.");
  }
  for (const auto& [from, into] : graph.edges) {
    if (!names.contains(from) || !names.contains(into))
      refuse(graph, "an edge from \"" + from + "\" into \"" + into + "\" leads nowhere", "Name nodes that are there.");
    feeding.insert(from);
  }
  graph.order();
  if (names.size() - feeding.size() != 1)
    refuse(graph, std::to_string(names.size() - feeding.size()) + " nodes feed into nothing",
           "One node is the evaluation itself; all others feed into it.");
}

nlohmann::json to_json(const AssistanceGraph& graph) {
  auto nodes = nlohmann::json::array(), edges = nlohmann::json::array();
  for (const auto& node : graph.nodes)
    nodes.push_back({{"name", node.name},
                     {"task", node.task},
                     {"input", node.input},
                     {"answer", node.answer},
                     {"answerer", node.answerer}});
  for (const auto& [from, into] : graph.edges) edges.push_back({{"from", from}, {"into", into}});
  return {{"name", graph.name}, {"version", graph.version}, {"nodes", nodes}, {"edges", edges}};
}

AssistanceGraph assistance_graph_from_json(const nlohmann::json& record, std::string_view where) {
  AssistanceGraph graph{.name = text(record, "name", where)};
  for (const char* list : {"nodes", "edges"})
    if (!record.contains(list) || !record[list].is_array())
      throw Error({.category = Category::bad_data,
                   .where = std::string(where),
                   .what = std::string("the field \"") + list + "\" is missing or no list",
                   .fix = ""});
  if (record.contains("version") && record["version"].is_number_integer()) graph.version = record["version"];
  for (const auto& node : record["nodes"])
    graph.nodes.push_back({.name = text(node, "name", where),
                           .task = text(node, "task", where),
                           .input = text(node, "input", where),
                           .answer = text(node, "answer", where),
                           .answerer = text(node, "answerer", where)});
  for (const auto& edge : record["edges"]) graph.edges.emplace_back(text(edge, "from", where), text(edge, "into", where));
  validate(graph);
  return graph;
}

nlohmann::json run(const AssistanceGraph& graph, const AnswerNode& answer) {
  validate(graph);
  auto answers = nlohmann::json::object();
  for (const auto& name : graph.order()) {
    auto fed = nlohmann::json::object();
    for (const auto& [from, into] : graph.edges)
      if (into == name) fed[from] = answers.at(from);
    const auto node =
        std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const AssistanceNode& each) { return each.name == name; });
    answers[name] = answer(*node, fed);
  }
  return answers;
}

}  // namespace rlhf::feedback
