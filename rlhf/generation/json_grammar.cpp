#include "rlhf/generation/json_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "rlhf/core/error.h"

namespace rlhf::generation {
namespace {

using json = nlohmann::ordered_json;
using Kind = JsonGrammar::Kind;
using Node = JsonGrammar::Node;

constexpr std::string_view digits_and_minus = "-0123456789";

/// Builds the nodes. A node is reserved before what it refers to is built, so that schemas may refer to themselves.
class Compiler {
 public:
  explicit Compiler(const json& root) : root_(root) {}

  JsonGrammar compile() {
    node_of(root_, "schema");
    for (std::size_t i = 0; i < grammar_.nodes.size(); ++i) find_first(static_cast<int>(i), {});
    for (const auto& [index, where] : choices_) require_distinct(grammar_.nodes[index], where);
    return std::move(grammar_);
  }

  JsonGrammar any_object() {
    object(json::object(), reserve(), "schema");
    for (std::size_t i = 0; i < grammar_.nodes.size(); ++i) find_first(static_cast<int>(i), {});
    return std::move(grammar_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& where, const std::string& what, const std::string& fix = {}) {
    throw Error({.category = Category::usage, .where = where, .what = what, .fix = fix});
  }

  int reserve() {
    if (grammar_.nodes.size() >= 4096) refuse("schema", "has more than 4096 parts");
    grammar_.nodes.emplace_back();
    return static_cast<int>(grammar_.nodes.size()) - 1;
  }

  Node& at(int index) { return grammar_.nodes[index]; }

  int node_of(const json& schema, const std::string& where) {
    if (schema.is_boolean() && schema.get<bool>()) return any();
    if (!schema.is_object()) refuse(where, "is not a schema (an object)");
    require_known_keys(schema, where);
    if (schema.contains("$ref")) return referred(schema["$ref"], where);
    const auto index = reserve();
    build(schema, index, where);
    return index;
  }

  static void require_known_keys(const json& schema, const std::string& where) {
    static const std::set<std::string> known{"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
                                             "enum", "const", "anyOf", "$ref", "$defs", "definitions", "title", "description", "default",
                                             "examples", "$schema", "$id", "$comment", "deprecated", "strict"};
    for (const auto& [key, value] : schema.items()) {
      if (!known.contains(key)) refuse(where + "." + key, "is a keyword that is not supported", "Remove it, and check its condition on the answer.");
    }
  }

  int referred(const json& reference, const std::string& where) {
    const auto name = reference.is_string() ? reference.get<std::string>() : "";
    if (const auto known = references_.find(name); known != references_.end()) return known->second;
    if (name == "#") return 0;
    const json* target = nullptr;
    try {
      if (name.starts_with("#/")) target = &root_.at(json::json_pointer(name.substr(1)));
    } catch (const json::exception&) {
    }
    if (target == nullptr) refuse(where + ".$ref", fmt::format("\"{}\" is not in this schema", name), "References look like #/$defs/NAME.");
    if (!target->is_object() || target->contains("$ref")) refuse(where + ".$ref", "leads to something that is no schema of its own");
    require_known_keys(*target, name);
    const auto index = references_[name] = reserve();
    build(*target, index, name);
    return index;
  }

  void build(const json& schema, int index, const std::string& where) {
    if (schema.contains("const")) return literals(json::array({schema["const"]}), index, where);
    if (schema.contains("enum")) return literals(schema["enum"], index, where + ".enum");
    if (schema.contains("anyOf")) return choice(schema["anyOf"], index, where + ".anyOf");
    if (!schema.contains("type")) {
      if (schema.contains("properties")) return object(schema, index, where);
      if (schema.contains("items")) return array(schema, index, where);
      at(index).alternatives = {any()};
      return;
    }
    const auto& type = schema["type"];
    if (type.is_string()) return typed(type.get<std::string>(), schema, index, where);
    if (!type.is_array() || type.empty()) refuse(where + ".type", "has to be a type's name or a list of them");
    choices_[index] = where + ".type";
    for (const auto& each : type) {
      const auto alternative = reserve();
      typed(each.is_string() ? each.get<std::string>() : "", schema, alternative, where);
      at(index).alternatives.push_back(alternative);
    }
  }

  void typed(const std::string& type, const json& schema, int index, const std::string& where) {
    if (type == "object") return object(schema, index, where);
    if (type == "array") return array(schema, index, where);
    if (type == "string") at(index).kind = Kind::string;
    else if (type == "number") at(index).kind = Kind::number;
    else if (type == "integer") at(index).kind = Kind::integer;
    else if (type == "boolean") literals({true, false}, index, where);
    else if (type == "null") literals(json::array({nullptr}), index, where);
    else refuse(where + ".type", fmt::format("\"{}\" is no type", type), "object, array, string, number, integer, boolean, null.");
  }

  void object(const json& schema, int index, const std::string& where) {
    at(index).kind = Kind::object;
    const auto listed = schema.value("properties", json::object());
    const auto required = schema.value("required", json::array());
    const auto others = schema.value("additionalProperties", json(true));
    at(index).closed = !listed.empty() || others == json(false);
    for (const auto& [name, value] : listed.items()) {
      JsonGrammar::Property property{.key = json(name).dump(), .required = std::find(required.begin(), required.end(), name) != required.end()};
      property.value = node_of(value, where + ".properties." + name);
      at(index).properties.push_back(std::move(property));
    }
    for (const auto& name : required) {
      if (!name.is_string() || !listed.contains(name.get<std::string>())) refuse(where + ".required", name.dump() + " is not among the properties");
    }
    if (at(index).closed) return;
    const auto value = others.is_object() ? node_of(others, where + ".additionalProperties") : any();
    at(index).item = value;
    at(index).key = string();
  }

  void array(const json& schema, int index, const std::string& where) {
    at(index).kind = Kind::array;
    const auto count = [&](const char* key, std::uint16_t otherwise) -> std::uint16_t {
      if (!schema.contains(key)) return otherwise;
      const auto& value = schema[key];
      if (!value.is_number_integer() || value < 0 || value > 10000) refuse(where + "." + key, "has to be a number from 0 to 10000");
      return value.get<std::uint16_t>();
    };
    at(index).least = count("minItems", 0);
    at(index).most = count("maxItems", 0xffff);
    if (at(index).least > at(index).most) refuse(where, "minItems is above maxItems");
    const auto item = schema.contains("items") ? node_of(schema["items"], where + ".items") : any();
    at(index).item = item;
  }

  void literals(const json& values, int index, const std::string& where) {
    if (!values.is_array() || values.empty()) refuse(where, "has to be a list of values");
    at(index).kind = Kind::literals;
    for (const auto& value : values) at(index).literals.push_back(value.dump());
  }

  void choice(const json& options, int index, const std::string& where) {
    if (!options.is_array() || options.empty()) refuse(where, "has to be a list of schemas");
    choices_[index] = where;
    for (std::size_t i = 0; i < options.size(); ++i) {
      const auto alternative = node_of(options[i], fmt::format("{}.{}", where, i));
      at(index).alternatives.push_back(alternative);
    }
  }

  /// One node for "any value", whoever asks.
  int any() {
    if (any_ >= 0) return any_;
    any_ = reserve();
    string();
    const auto add = [&](Node node) {
      const auto index = reserve();
      at(index) = std::move(node);
      at(any_).alternatives.push_back(index);
    };
    add({.kind = Kind::object, .item = any_, .key = string_});
    add({.kind = Kind::array, .item = any_});
    at(any_).alternatives.push_back(string_);
    add({.kind = Kind::number});
    add({.kind = Kind::literals, .literals = {"true", "false", "null"}});
    return any_;
  }

  int string() {
    if (string_ < 0) at(string_ = reserve()).kind = Kind::string;
    return string_;
  }

  const std::string& find_first(int index, std::set<int> above) {
    auto& node = at(index);
    if (!node.first.empty()) return node.first;
    if (!above.insert(index).second) refuse("schema", "refers to itself without a value in between");
    switch (node.kind) {
      case Kind::object: return node.first = "{";
      case Kind::array: return node.first = "[";
      case Kind::string: return node.first = "\"";
      case Kind::number:
      case Kind::integer: return node.first = digits_and_minus;
      case Kind::literals:
        for (const auto& literal : node.literals) node.first += literal[0];
        return node.first;
      case Kind::choice:
        for (const auto each : node.alternatives) node.first += find_first(each, above);
        return node.first;
    }
    return node.first;
  }

  void require_distinct(const Node& node, const std::string& where) {
    std::map<char, int> owner;
    for (const auto each : node.alternatives) {
      for (const char character : at(each).first) {
        if (owner.try_emplace(character, each).first->second == each) continue;
        refuse(where, fmt::format("two alternatives can begin with '{}', so the first character does not tell them apart", character),
               "Make it one schema, or alternatives of different types.");
      }
    }
  }

  const json& root_;
  JsonGrammar grammar_;
  std::map<std::string, int> references_;
  std::map<int, std::string> choices_;  // node -> place in the schema
  int any_ = -1, string_ = -1;
};

}  // namespace

JsonGrammar JsonGrammar::any_object() { return Compiler(json::object()).any_object(); }

JsonGrammar JsonGrammar::from_schema(const json& schema) { return Compiler(schema).compile(); }

}  // namespace rlhf::generation
