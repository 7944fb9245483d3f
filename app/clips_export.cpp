#include "app/clips_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>

#include "app/flags.h"
#include "app/signals.h"
#include "app/world.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/clip.h"
#include "rlhf/environments/film_file.h"
#include "rlhf/environments/table.h"
#include "rlhf/feedback/store.h"

namespace rlhf::app {
namespace {

namespace fs = std::filesystem;
using environments::FilmFormat;
using nlohmann::json;

struct ExportSettings {
  std::string store, project = "default", settings, media;
  fs::path out;
  FilmFormat format = FilmFormat::png;
  std::vector<std::string> questions;
  std::int64_t width = 400, height = 267, every = 1;
  double speed = 1.0;
  bool as_shown = false;

  void fields(Fields& f) {
    f.field("store", store, "where the questions are: a file, or postgresql://...");
    f.field("project", project, "projects in one store see nothing of each other");
    f.field("out", out, "folder for the films; new or empty");
    f.choice("format", format,
             {{"frames", FilmFormat::frames}, {"png", FilmFormat::png}, {"webp", FilmFormat::webp}, {"mp4", FilmFormat::mp4}},
             "of the films: folders of PNG files, animated PNG, animated WebP (needs img2webp or ffmpeg), MP4 (ffmpeg)");
    f.field("questions", questions, "ids of those whose clips are wanted; none: all that have some");
    f.field("settings", settings, "of the environment, as JSON; default: those that the question says it was recorded with");
    f.field("width", width, "pixels");
    f.field("height", height, "pixels");
    f.field("every", every, "steps from one frame to the next");
    f.field("speed", speed, "of the player; 0.5 = slow motion");
    f.field("as_shown", as_shown, "the frames that people were shown, from the media folder, instead of drawing the states");
    f.field("media", media, "folder of clips; default: media beside the store");
  }

  void validate() const {
    const auto require = [](bool holds, const char* where, const char* what) {
      if (!holds) throw Error({.category = Category::usage, .where = where, .what = what, .fix = ""});
    };
    require(!out.empty(), "out", "a folder for the films was expected: --out films");
    require(width >= 1, "width", "at least one pixel was expected");
    require(height >= 1, "height", "at least one pixel was expected");
    require(every >= 1, "every", "at least one step was expected");
    require(speed > 0, "speed", "a number above 0 was expected");
  }
};

bool has_clips(const feedback::Question& question) {
  return std::any_of(question.items.begin(), question.items.end(),
                     [](const feedback::Item& item) { return !item.clip.empty() || !item.segment.is_null(); });
}

/// In the order in which they were asked.
std::vector<feedback::Question> all_with_clips(const feedback::Store& store) {
  std::vector<feedback::Question> found;
  std::int64_t last = 0;
  for (auto events = store.read(last); !events.empty(); events = store.read(last))
    for (auto& event : events) {
      last = event.sequence;
      auto* question = std::get_if<feedback::Question>(&event.body);
      if (question && has_clips(*question)) found.push_back(std::move(*question));
    }
  return found;
}

std::vector<feedback::Question> wanted(const ExportSettings& settings, const feedback::Store& store) {
  if (settings.questions.empty()) return all_with_clips(store);
  std::vector<feedback::Question> found;
  for (const auto& id : settings.questions) {
    auto question = store.question(id);
    if (!question || !has_clips(*question))
      throw Error({.category = Category::usage,
                   .where = "questions",
                   .what = question ? fmt::format("the question '{}' shows no clip", id)
                                    : fmt::format("there is no question '{}'", id),
                   .fix = "Leave --questions out: clips.jsonl then names all that have clips."});
    found.push_back(std::move(*question));
  }
  return found;
}

/// A name for files: what is no letter, digit, dot or dash becomes a dash, and the number keeps names apart.
std::string file_name(std::size_t number, std::string id) {
  for (char& letter : id)
    if (!std::isalnum(static_cast<unsigned char>(letter)) && letter != '.' && letter != '_') letter = '-';
  return fmt::format("{:05}-{}", number, id.substr(0, 80));
}

class Exporter {
 public:
  Exporter(const ExportSettings& settings, const feedback::Store& store)
      : settings_(settings), store_(store), media_(beside(settings.store, settings.media, "media")) {}

  std::int64_t films() const { return films_; }

  /// Films of all its clips; a row of clips.jsonl for each.
  std::string films_of(const feedback::Question& question, std::size_t number) {
    std::string rows;
    for (std::size_t item = 0; item < question.items.size(); ++item) {
      const auto& shown = question.items[item];
      if (shown.clip.empty() && shown.segment.is_null()) continue;
      json row{{"question", question.id}, {"item", item}};
      const auto [frames, rate] = frames_of(shown, question, row);
      const auto name = fmt::format("{}-{}{}", file_name(number, question.id), item, environments::ending_of(settings_.format));
      environments::write_film(settings_.out / name, settings_.format, frames, rate);
      row.update({{"file", name}, {"frames", frames.size()}, {"frames_per_second", rate},
                  {"width", frames[0].width}, {"height", frames[0].height}});
      add_answers(question.id, item, row);
      rows += row.dump() + "\n";
      ++films_;
    }
    return rows;
  }

 private:
  struct Film {
    std::vector<environments::Image> frames;
    double rate = 0;
  };

  Film frames_of(const feedback::Item& item, const feedback::Question& question, json& row) {
    if (item.segment.is_null()) return as_shown(item.clip);
    const auto segment = data::segment_from_json(item.segment, question.id);
    row.update({{"environment", segment.environment}, {"seed", segment.seed}, {"begin", segment.begin},
                {"steps", segment.actions.size()}, {"policy_version", segment.policy_version},
                {"return", std::accumulate(segment.rewards.begin(), segment.rewards.end(), 0.0)}});
    if (settings_.as_shown && !item.clip.empty()) return as_shown(item.clip);
    auto& environment = environment_of(segment, question);
    const environments::ClipOptions options{.width = int(settings_.width), .height = int(settings_.height),
                                            .every = int(settings_.every), .speed = settings_.speed};
    auto frames = render_segment(environment, segment, options);
    return {std::move(frames), clip_rate(environment.spec(), options)};
  }

  Film as_shown(const std::string& clip) const {
    const auto manifest = environments::read_manifest(media_, clip);
    Film film{.rate = manifest.fps * settings_.speed};
    for (const auto& frame : manifest.frames)
      film.frames.push_back(environments::decode_png(read_file(media_ / (frame + ".png"))));
    return film;
  }

  environments::Environment& environment_of(const data::Segment& segment, const feedback::Question& question) {
    auto settings = settings_.settings;
    if (settings.empty() && question.metadata.is_object() && question.metadata.value("settings", json()).is_object())
      settings = question.metadata["settings"].dump();
    auto& environment = environments_[{segment.environment, settings}];
    if (!environment) environment = World{segment.environment, settings}.make();
    if (segment.spec == hash_of(environment->spec())) return *environment;
    throw Error({.category = Category::check,
                 .where = "settings",
                 .what = fmt::format("the clips of {} are of another {} than these settings make", question.id, segment.environment),
                 .fix = "Give those it was recorded with, which the run's config.toml has: --settings '{\"task\": \"spin\"}'."});
  }

  /// How people took the clip: "answers" that stand, in how many it was "chosen", in how many all were equal ("ties").
  void add_answers(const std::string& id, std::size_t item, json& row) const {
    std::int64_t answers = 0, chosen = 0, ties = 0;
    for (const auto& event : store_.answers_to(id)) {
      const auto* answer = std::get_if<feedback::Answer>(&event.body);
      const auto* comparison = answer ? std::get_if<feedback::Comparison>(&answer->said) : nullptr;
      if (!comparison || comparison->incomparable) continue;
      ++answers;
      ties += comparison->tie;
      chosen += !comparison->tie && comparison->best == static_cast<std::int64_t>(item);
    }
    row.update({{"answers", answers}, {"chosen", chosen}, {"ties", ties}});
  }

  const ExportSettings& settings_;
  const feedback::Store& store_;
  fs::path media_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<environments::Environment>> environments_;  // by name and settings
  std::int64_t films_ = 0;
};

void require_empty(const fs::path& folder) {
  if (!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder))) return;
  throw Error({.category = Category::usage,
               .where = folder.string(),
               .what = "there is something in it already",
               .fix = "Name a new folder."});
}

}  // namespace

int export_clips(const Invocation& call) {
  ExportSettings settings;
  if (!read_settings(call,
                     {.synopsis = "rlhf clips export STORE --out FOLDER [--format png] [--questions ID,ID] [settings]",
                      .description = "Draws the clips of questions from their stored states, frame by frame, and writes "
                                     "them as films; clips.jsonl in the folder says what each is.",
                      .positional = {"store"}},
                     settings))
    return 0;
  require_given("store", settings.store, "rlhf clips export feedback.db --out films");
  require_empty(settings.out);
  environments::require_encoder(settings.format);
  const auto store = feedback::Store::open(settings.store, {.project = settings.project, .read_only = true});
  const auto questions = wanted(settings, store);
  Exporter exporter(settings, store);
  for (std::size_t i = 0; i < questions.size() && !stop_requested(); ++i) {
    const auto rows = exporter.films_of(questions[i], i);  // creates the folder: what fails at once leaves none
    std::ofstream(settings.out / "clips.jsonl", std::ios::app) << rows;
  }
  if (call.json)
    std::cout << json{{"questions", questions.size()}, {"films", exporter.films()}}.dump() << std::endl;
  else
    std::cout << fmt::format("{} films of {} questions: {}\n", exporter.films(), questions.size(), settings.out.string());
  return stop_requested() ? exit_code_of_signal() : 0;
}

}  // namespace rlhf::app
