#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rlhf::generation {

/// What a JSON text has to look like, made from a JSON schema: nodes that refer to each other by their index.
///
/// Understood: type (one or a list of object, array, string, number, integer, boolean, null), properties, required,
/// additionalProperties, items, minItems, maxItems, enum, const, anyOf, $ref into $defs or definitions (recursion too).
/// Taken as notes to the reader: title, description, default, examples, $schema, $id, $comment, deprecated, strict.
/// Every other keyword is refused: nothing that was asked for is silently left out.
///
/// Stricter than JSON schema where a writer needs one way to go: an object with `properties` has these keys only, in the
/// order of the schema; the alternatives of anyOf and of a list of types have to differ in their first character.
struct JsonGrammar {
  enum class Kind : std::uint8_t { object, array, string, number, integer, literals, choice };

  struct Property {
    std::string key;  // with its quotes, as it is written
    int value = 0;    // node
    bool required = false;
  };
  struct Node {
    Kind kind = Kind::choice;
    std::vector<Property> properties{};       // object with `closed`
    bool closed = false;                      // object: these keys and no others
    int item = 0;                             // array: of each item; object without `closed`: of each value
    int key = 0;                              // object without `closed`: of each key
    std::uint16_t least = 0, most = 0xffff;   // array: number of items
    std::vector<std::string> literals{};      // the texts themselves
    std::vector<int> alternatives{};          // choice
    std::string first{};                      // characters that it can begin with
  };

  std::vector<Node> nodes;  // the text is what nodes[0] describes

  /// Any JSON object.
  static JsonGrammar any_object();

  /// Throws rlhf::Error (usage) naming the place in the schema.
  static JsonGrammar from_schema(const nlohmann::ordered_json& schema);
};

}  // namespace rlhf::generation
