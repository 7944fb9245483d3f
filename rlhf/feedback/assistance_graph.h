#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::feedback {

/// A piece of an evaluation that somebody can do on their own: a person, or an agent trained for it.
struct AssistanceNode {
  std::string name;
  std::string task;      // what is asked: "which cells to open", "which route is better"
  std::string input;     // which part of the outputs it looks at: "route", "segment", "cell"
  std::string answer;    // what comes back: "cells", "hazards", "comparison"
  std::string answerer;  // "person", or the name of a helper
};

/// How an evaluation that nobody can do alone is made of ones that somebody can (Leike et al. 2018, arXiv:1811.07871,
/// section 3.2). An edge feeds the answer of one node into another; it runs from the leaves up to the root.
struct AssistanceGraph {
  std::string name;
  int version = 1;
  std::vector<AssistanceNode> nodes;
  std::vector<std::pair<std::string, std::string>> edges;  // (from, into), names of nodes

  /// Names in an order in which every node comes after all that feed it; equal graphs give equal orders.
  std::vector<std::string> order() const;
};

/// Throws rlhf::Error (bad_data): no node, a name twice or empty, an edge to a node that is not there, a circle, more
/// than one root, a node that nobody answers.
void validate(const AssistanceGraph& graph);

nlohmann::json to_json(const AssistanceGraph& graph);
/// Validates. `where` stands for the record in messages.
AssistanceGraph assistance_graph_from_json(const nlohmann::json& record, std::string_view where);

/// Answers one node, given the answers of the nodes that feed it, by name.
using AnswerNode = std::function<nlohmann::json(const AssistanceNode& node, const nlohmann::json& fed)>;

/// Every node's answer by name, from the leaves up: {"leaf": ..., "root": ...}. A reviewer can open any of them.
nlohmann::json run(const AssistanceGraph& graph, const AnswerNode& answer);

}  // namespace rlhf::feedback
