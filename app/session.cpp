#include <fmt/format.h>

#include <iostream>
#include <thread>

#include "app/commands.h"
#include "app/flags.h"
#include "app/signals.h"
#include "app/world.h"
#include "rlhf/algorithms/frame_pretraining.h"
#include "rlhf/algorithms/live_learner_config.h"
#include "rlhf/algorithms/session_socket.h"
#include "rlhf/control/signal_reward.h"
#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/feedback/server_address.h"
#include "rlhf/feedback/store.h"

namespace rlhf::app {
namespace {

using namespace std::chrono_literals;

struct LiveSettings {
  World world;
  algorithms::SessionConfig session;
  algorithms::LiveLearnerConfig learner;
  algorithms::FramePretrainingConfig eyes;
  control::SignalRewardConfig reward;
  std::string store, project = "default", live, name, log, replay, resume, relearn, reward_model, encoder;
  std::vector<double> scale;

  void fields(Fields& f) {
    f.field("store", store, "of the server whose page teaches the agent");
    f.field("project", project, "projects in one store see nothing of each other");
    world.fields(f);
    session.fields(f);
    learner.fields(f);
    f.group("eyes", eyes, "the encoder through which a deep learner sees pictures, learnt from random play before");
    f.field("encoder", encoder,
            "file of that encoder, made when missing; default: <environment>.safetensors beside the agent's socket");
    f.field("scale", scale, "what each number of an observation is multiplied by; default: from its bounds");
    f.field("live", live, "folder where running agents listen; default: live beside the store");
    f.field("name", name, "of the session and its question; default: from the time");
    f.field("log", log, "what happened, for --replay; default: <name>.jsonl beside the agent's socket");
    f.field("replay", replay, "repeat this log without anybody, and check that everything comes out equal");
    f.field("resume", resume, "go on with the session of this log, whose process ended");
    f.field("relearn", relearn, "let a learner with these settings learn from what was said in this log");
    f.field("reward_model", reward_model,
            "folder: with --relearn, a reward model learns from the log instead, for `rlhf train control_ppo`");
    f.group("reward", reward, "how that one learns");
  }
  void validate() const {
    session.validate();
    learner.validate();
    eyes.validate();
    reward.validate();
    if (!reward_model.empty() && relearn.empty())
      throw Error({.category = Category::usage,
                   .where = "reward_model",
                   .what = "it is made from the log of a session",
                   .fix = "Name one: --relearn live/NAME.jsonl"});
    const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
    if (name.size() > 100 || !std::all_of(name.begin(), name.end(), plain))
      throw Error({.category = Category::usage,
                   .where = "name",
                   .what = "is \"" + name + "\"",
                   .fix = "Use at most 100 letters, digits, - and _."});
  }
};

/// Files of the running session: its socket, its log, its encoder.
std::filesystem::path live_folder(const LiveSettings& settings) {
  const auto folder = beside(settings.store, settings.live, "live");
  std::filesystem::create_directories(folder);
  return folder;
}

/// The frozen eyes of a learner that needs some: read, or learnt from random play now.
std::shared_ptr<const models::FrameAutoencoder> eyes_of(const Invocation& call, const LiveSettings& settings,
                                                        const environments::Spec& spec) {
  if (!algorithms::needs_encoder(spec, settings.learner)) return nullptr;
  const auto file = settings.encoder.empty() ? live_folder(settings) / (spec.name + ".safetensors")
                                             : std::filesystem::path(settings.encoder);
  if (!std::filesystem::exists(file) && !call.json)
    std::cerr << fmt::format("learning to see from {} frames of random play; kept in {}\n", settings.eyes.frames,
                             file.string());
  return pretrained_frames(*settings.world.make(), settings.eyes, file).autoencoder;
}

std::unique_ptr<algorithms::LiveLearner> learner_of(const Invocation& call, const LiveSettings& settings,
                                                    const environments::Spec& spec) {
  return algorithms::make_live_learner(spec, settings.learner, settings.scale, eyes_of(call, settings, spec));
}

/// The question that brings somebody to the session. Its id is the session's name: the page opens the socket of that
/// name.
feedback::Question question_of(const LiveSettings& settings) {
  feedback::Question question;
  question.id = settings.name;
  question.form = feedback::builtin_form("shaping");
  question.prompt = {.id = settings.name};
  question.metadata = {{"environment", settings.world.environment}};
  return question;
}

/// Ends the session when the program is to stop, and when the one who taught has sent the answer.
class UntilAnswered : public algorithms::Audience {
 public:
  UntilAnswered(algorithms::SessionSocket& socket, const feedback::Store& store, std::string question)
      : socket_(socket), store_(store), question_(std::move(question)) {}

  std::vector<algorithms::Request> requests() override {
    auto requests = socket_.requests();
    if (stop_requested() || answered()) requests.emplace_back(algorithms::Stop{});
    return requests;
  }
  void acknowledge(std::int64_t id, algorithms::Outcome outcome, std::int64_t tick) override {
    socket_.acknowledge(id, outcome, tick);
  }
  void show(const algorithms::View& view, const environments::Environment& environment) override {
    socket_.show(view, environment);
  }
  bool answered() {
    if (answered_ || steady_seconds() < look_again_) return answered_;
    look_again_ = steady_seconds() + 1;
    return answered_ = !store_.answers_to(question_).empty();
  }

 private:
  algorithms::SessionSocket& socket_;
  const feedback::Store& store_;
  const std::string question_;
  double look_again_ = 0.0;
  bool answered_ = false;
};

void report(const Invocation& call, const algorithms::SessionResult& result, const std::string& log) {
  double total = 0;
  for (const auto& each : result.episodes) total += each.total_reward;
  const auto episodes = std::max<std::size_t>(1, result.episodes.size());
  const auto last = result.episodes.empty() ? 0.0 : result.episodes.back().total_reward;
  if (call.json) {
    std::cout << nlohmann::json{{"ticks", result.ticks},
                                {"signals", result.signals},
                                {"seconds", result.seconds},
                                {"episodes", result.episodes.size()},
                                {"mean_return", total / static_cast<double>(episodes)},
                                {"last_return", last},
                                {"log", log},
                                {"learner", result.learner_hash}}
                     .dump()
              << std::endl;
    return;
  }
  std::cout << fmt::format(
      "{} steps in {:.0f} s, {} signals; {} episodes, return {:.1f} on average and {:.1f} in the last\nlog: {}\n",
      result.ticks, result.seconds, result.signals, result.episodes.size(), total / static_cast<double>(episodes), last,
      log);
}

void say_where(const Invocation& call, const LiveSettings& settings) {
  const auto page = feedback::server_address(settings.store);
  if (call.json) {
    std::cout << nlohmann::json{{"session", settings.name}, {"page", page}}.dump() << std::endl;
    return;
  }
  std::cerr << fmt::format("session {} waits for somebody to teach: {}\n", settings.name,
                           page.empty() ? "start `rlhf collect " + settings.store + "` and open its page" : page);
}

/// Plays from the moment that somebody watches.
int teach(const Invocation& call, LiveSettings& settings) {
  const auto folder = live_folder(settings);
  const bool resumed = !settings.resume.empty();
  if (resumed) settings.log = settings.resume;
  if (settings.name.empty())
    settings.name = resumed ? std::filesystem::path(settings.log).stem().string()
                            : fmt::format("session-{:.0f}", 1000 * wall_seconds());
  if (settings.log.empty()) settings.log = folder / (settings.name + ".jsonl");

  auto store = feedback::Store::open(settings.store, {.project = settings.project});
  const auto environment = settings.world.make();
  const auto learner = learner_of(call, settings, environment->spec());
  algorithms::SessionSocket socket({.path = folder / (settings.name + ".sock")}, settings.world.make(),
                                   settings.session);
  if (store.publish(question_of(settings)) == 0 && !resumed)
    throw Error({.category = Category::usage,
                 .where = "name",
                 .what = "there was a session " + settings.name + " before",
                 .fix = "Give this one another name, or none; or go on with it: --resume " + settings.log});
  say_where(call, settings);
  while (!socket.connected() && !stop_requested()) std::this_thread::sleep_for(20ms);
  UntilAnswered audience(socket, store, settings.name);
  if (!stop_requested()) {
    algorithms::RealClock clock;
    report(call,
           resumed ? resume_session(*environment, *learner, audience, clock, settings.log)
                   : run_session(*environment, *learner, audience, clock, settings.session, settings.log),
           settings.log);
  }
  if (store.answers_to(settings.name).empty())
    store.requeue(settings.name, {.withdrawn = true, .reason = "the session is over"});
  return stop_requested() ? exit_code_of_signal() : 0;
}

/// A log becomes the reward of other agents.
int learn_reward(const Invocation& call, const LiveSettings& settings) {
  const auto environment = settings.world.make();
  control::SignalSteps said(settings.reward);
  relearn_session(*environment, said, settings.relearn);
  control::SignalReward reward(environment->spec(), settings.reward);
  const auto fit = reward.fit(said);
  reward.write(settings.reward_model);
  if (call.json)
    std::cout << nlohmann::json{{"signals", fit.signals},
                                {"heldout", fit.heldout},
                                {"loss", fit.loss},
                                {"heldout_loss", fit.heldout_loss},
                                {"accuracy", fit.heldout_accuracy},
                                {"reward_model", settings.reward_model}}
                     .dump()
              << std::endl;
  else
    std::cout << fmt::format(
        "{} signals, {} of them held out: sign right for {:.0f} %\nrlhf train control_ppo environment={} "
        "reward_model={}\n",
        fit.signals, fit.heldout, 100 * fit.heldout_accuracy, settings.world.environment, settings.reward_model);
  return 0;
}

/// A log is repeated, or learnt from, with nobody there.
int reread(const Invocation& call, const LiveSettings& settings) {
  const auto& log = settings.replay.empty() ? settings.relearn : settings.replay;
  if (!std::filesystem::exists(log))
    throw Error({.category = Category::usage, .where = log, .what = "there is no such file", .fix = ""});
  if (settings.replay.empty() && !settings.reward_model.empty()) return learn_reward(call, settings);
  const auto environment = settings.world.make();
  const auto learner = learner_of(call, settings, environment->spec());
  report(call,
         settings.replay.empty() ? relearn_session(*environment, *learner, log)
                                 : replay_session(*environment, *learner, log),
         log);
  return 0;
}

}  // namespace

int session(const Invocation& call) {
  LiveSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf session --store FILE [--environment cart_pole] [--learner coach] [settings]",
           .description = "Lets people teach an agent with + and - while it acts: TAMER (Deep TAMER where it sees "
                          "pictures), COACH or Deep COACH.\n"
                          "They do it on the page of `rlhf collect` on the same store, where the session comes as a "
                          "question; every press is in the\n"
                          "store before the agent learns from it.",
           .positional = {"store"}},
          settings))
    return 0;
  if (!settings.replay.empty() || !settings.relearn.empty()) return reread(call, settings);
  require_given("store", settings.store, "rlhf session feedback.db --environment cart_pole");
  return teach(call, settings);
}

}  // namespace rlhf::app
