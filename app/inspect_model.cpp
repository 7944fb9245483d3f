#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/flags.h"
#include "app/inspect.h"
#include "app/model_probe.h"
#include "rlhf/core/files.h"
#include "rlhf/models/model_files.h"

namespace rlhf::app {
namespace {

using nlohmann::json;

struct InspectModelSettings {
  std::string model;
  void fields(Fields& f) { f.field("model", model, "folder, GGUF file, run or name of a model"); }
};

json describe(const models::LoadedModel& loaded) {
  const auto& shape = loaded.model->shape();
  const auto& special = loaded.text.special;
  const auto token = [&](TokenId id) { return json{{"id", id}, {"token", loaded.text.tokenizer.token(id)}}; };
  json about = {{"source", loaded.source.string()},
                {"format", loaded.format},
                {"family", shape.family},
                {"parameters", parameter_count(*loaded.model)},
                {"layers", shape.layers},
                {"width", shape.width},
                {"heads", shape.heads},
                {"kv_heads", shape.kv_heads},
                {"head_dim", shape.head_dim},
                {"vocabulary", shape.vocabulary},
                {"context", shape.context},
                {"tokenizer_size", loaded.text.tokenizer.size()},
                {"chat_template", loaded.text.chat.has_value()},
                {"bos", special.bos ? token(*special.bos) : json()},
                {"pad", special.pad ? token(*special.pad) : json()},
                {"stop", json::array()},
                {"score_head", loaded.score.has_value()},
                {"value_head", loaded.value.has_value()}};
  for (const auto id : special.stop) about["stop"].push_back(token(id));
  if (loaded.adapter) {
    about["adapter"] = to_json(*loaded.adapter);
    about["base"] = loaded.base.string();
  }
  return about;
}

std::string shown(const json& value) {
  if (value.is_null()) return "none";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_object() && value.contains("id")) return fmt::format("{} ({})", value["token"].get<std::string>(), value["id"].get<TokenId>());
  if (value.is_array()) {
    std::string list;
    for (const auto& each : value) list += (list.empty() ? "" : ", ") + shown(each);
    return list.empty() ? "none" : list;
  }
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

int inspect_model(const Invocation& call) {
  InspectModelSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf inspect model MODEL",
                            .description = "Reads the whole model, so that what is printed here will also load elsewhere.",
                            .positional = {"model"}},
                     settings)) return 0;
  require_given("model", settings.model, "rlhf inspect model smollm2-135m");
  const auto about = describe(models::load_model(settings.model));
  if (call.json) {
    std::cout << about.dump() << '\n';
    return 0;
  }
  for (const auto& [name, value] : about.items()) std::cout << fmt::format("{:<15} {}\n", name, shown(value));
  std::cout << fmt::format("{:<15} {}\n", "memory", bytes_as_text(about["parameters"].get<std::uint64_t>() * sizeof(float)) + " as float32");
  return 0;
}

}  // namespace rlhf::app
