#include <fmt/format.h>

#include <iostream>

#include "app/clips_export.h"
#include "app/commands.h"
#include "app/flags.h"
#include "app/signals.h"
#include "app/world.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/environments/clip.h"
#include "rlhf/environments/scripted_agent.h"
#include "rlhf/feedback/question.h"
#include "rlhf/feedback/store.h"

namespace rlhf::app {
namespace {

using environments::ClipRef;

struct ClipSettings {
  World world;
  std::string store, project = "default", media;
  std::int64_t questions = 20, answers = 1, every = 2;
  double seconds = 1.5, speed = 1.0, heldout = 0.1;
  std::vector<double> noise = {0.0, 0.5, 1.0};
  std::uint64_t seed = 0;

  void fields(Fields& f) {
    f.field("store", store, "where the questions go: a file, or postgresql://...");
    f.field("project", project, "projects in one store see nothing of each other");
    world.fields(f);
    f.field("questions", questions, "pairs of clips to ask about");
    f.field("answers", answers, "annotators wanted for a question");
    f.field("seconds", seconds, "of play that a clip shows");
    f.field("speed", speed, "of the player; 0.5 = slow motion");
    f.field("every", every, "steps from one frame to the next");
    f.field("noise", noise, "share of random actions of each agent; the two of a pair are drawn from these");
    f.field("heldout", heldout, "share of questions whose answers test a reward model instead of training it");
    f.field("media", media, "folder of clips; default: media beside the store");
    f.field("seed", seed, "of episodes, agents and order");
  }

  void validate() const {
    const auto refuse = [](const char* where, const char* what) {
      throw Error({.category = Category::usage, .where = where, .what = what, .fix = ""});
    };
    if (questions < 1) refuse("questions", "at least one pair was expected");
    if (answers < 1) refuse("answers", "at least one annotator was expected");
    if (every < 1) refuse("every", "at least one step was expected");
    if (seconds <= 0 || speed <= 0) refuse(seconds <= 0 ? "seconds" : "speed", "a number above 0 was expected");
    if (noise.empty()) refuse("noise", "at least one agent was expected: --noise 0.5");
    for (const double share : noise)
      if (share < 0 || share > 1) refuse("noise", "shares from 0 to 1 were expected");
    if (heldout < 0 || heldout > 1) refuse("heldout", "a share from 0 to 1 was expected");
  }
};

/// Plays episodes and keeps pieces of them as clips.
class Recorder {
 public:
  explicit Recorder(const ClipSettings& settings)
      : settings_(settings),
        environment_(settings.world.make()),
        media_(beside(settings.store, settings.media, "media")),
        steps_(std::max<std::int64_t>(1, std::llround(settings.seconds / environment_->spec().step_seconds))) {
    for (const double share : settings.noise) {
      const auto& spec = environment_->spec();
      agents_.push_back(share == 1 ? environments::random_choice(spec)
                                   : environments::with_noise(environments::scripted_agent(spec), spec, share));
    }
  }

  /// Two clips of episodes of their own, by agents drawn at random.
  feedback::Question pair(std::int64_t number) {
    Random random(derive(settings_.seed, {hash("clips"), static_cast<std::uint64_t>(number)}));
    std::vector<ClipRef> clips;
    nlohmann::json noise;
    for (int side = 0; side < 2; ++side) {
      const auto agent = static_cast<std::size_t>(random.below(std::ssize(agents_)));
      const std::uint64_t episode[] = {
          derive(settings_.seed, {hash("episode"), static_cast<std::uint64_t>(2 * number + side)})};
      const environments::ClipOptions options{.every = static_cast<int>(settings_.every), .speed = settings_.speed};
      clips.push_back(record_clips(*environment_, agents_[agent], episode, steps_, media_, options).front());
      noise.push_back(settings_.noise[agent]);
    }
    return question(clips, noise);
  }

 private:
  feedback::Question question(const std::vector<ClipRef>& clips, const nlohmann::json& noise) const {
    const auto& name = environment_->spec().name;
    const data::Prompt prompt{.id = clips[0].id.substr(0, 16) + "-" + clips[1].id.substr(0, 16)};
    std::vector<data::Completion> two(2);
    two[1].sample = 1;
    const feedback::Origin origin{
        .run = "clips", .stage = name, .seed = settings_.seed, .heldout_share = settings_.heldout};
    auto question = feedback::ask_with(origin, feedback::builtin_form("clips"), prompt, two);
    for (std::size_t i = 0; i < clips.size(); ++i) {
      question.items[i].clip = clips[i].id;
      question.items[i].segment = data::to_json(clips[i].segment);
    }
    question.answers = static_cast<int>(settings_.answers);
    question.metadata = {{"noise", noise}, {"settings", environment_->spec().settings}};
    return question;
  }

  const ClipSettings& settings_;
  std::unique_ptr<environments::Environment> environment_;
  std::filesystem::path media_;
  std::int64_t steps_;
  std::vector<environments::Policy> agents_;
};

}  // namespace

int clips(const Invocation& call) {
  if (!call.arguments.empty() && call.arguments.front() == "export") return export_clips(call.without_first());
  ClipSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf clips --store FILE [--environment cart_pole] [--questions 20] [settings]",
           .description = "Records short clips of agents that play well and badly, and asks which of two shows the "
                          "better behaviour.\n"
                          "People answer on the pages of `rlhf collect` on the same store.\n"
                          "`rlhf clips export STORE --out FOLDER` writes the clips of its questions as films.",
           .positional = {"store"}},
          settings))
    return 0;
  require_given("store", settings.store, "rlhf clips feedback.db --environment cart_pole");
  auto store = feedback::Store::open(settings.store, {.project = settings.project});
  Recorder recorder(settings);
  std::int64_t added = 0;
  for (std::int64_t i = 0; i < settings.questions && !stop_requested(); ++i) added += store.publish(recorder.pair(i));
  if (call.json)
    std::cout << nlohmann::json{{"questions", added}}.dump() << std::endl;
  else
    std::cout << fmt::format("{} new questions on clips of {}\n", added, settings.world.environment);
  return stop_requested() ? exit_code_of_signal() : 0;
}

}  // namespace rlhf::app
