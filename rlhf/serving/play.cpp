#include "rlhf/serving/play.h"

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "rlhf/core/clock.h"
#include "rlhf/data/trajectory_file.h"
#include "rlhf/serving/body.h"

namespace rlhf::serving {
namespace {

using environments::Game;
using nlohmann::json;

constexpr std::size_t most_queued = 256 << 10;  // bytes on their way: newer pictures wait no longer than that
constexpr double longest_wait = 60.0;           // seconds; then it looks whether anything changed

/// The last episode that ended, and whether it is in the file.
struct Last {
  Game::Ended ended;
  bool kept = false;
};

std::string ending_of(const Game::Ended& ended) {
  if (ended.trajectory.terminated) return "terminated";
  if (ended.trajectory.truncated) return "truncated";
  return ended.cut ? "cut" : "limit";
}

double return_of(const data::Trajectory& trajectory) {
  double sum = 0.0;
  for (const double reward : trajectory.rewards) sum += reward;
  return sum;
}

/// What people call it: what another program plays has its name among the settings.
std::string title_of(const environments::Spec& spec) {
  for (const char* name : {"id", "game"})
    if (spec.settings.is_object() && spec.settings.contains(name) && spec.settings[name].is_string())
      return spec.settings[name];
  return spec.name;
}

json fault_message(const Error& error) {
  return {{"type", "fault"}, {"where", error.where()}, {"what", error.problem()}, {"fix", error.fix()}};
}

void require_sight(const environments::Spec& spec) {
  if (spec.can.render || spec.can.text) return;
  throw Error({.category = Category::usage,
               .where = "environment " + spec.name,
               .what = "it has neither picture nor text, so nobody can see what to do in it",
               .fix = "Those that have a picture say \"render\": true in `rlhf env show`; Gymnasium's need pygame."});
}

void require_same_spec(const std::filesystem::path& file, const environments::Spec& spec) {
  if (!std::filesystem::exists(file)) return;
  const auto known = environments::hash_of(spec);
  for (const auto& episode : data::read_trajectories(file))
    if (episode.spec != known)
      throw Error({.category = Category::check,
                   .where = file.string(),
                   .what = "it holds an episode of " + episode.environment + ", which is not this " + spec.name,
                   .fix = "Name another file, or give --settings as they were when it was recorded."});
}

}  // namespace

/// What the thread and the connections share.
struct Play::Table {
  Table(std::unique_ptr<environments::Environment> played, PlayOptions given)
      : environment(std::move(played)), options(std::move(given)), game(*environment, options.game) {}

  const std::unique_ptr<environments::Environment> environment;
  const PlayOptions options;

  // The thread's own.
  Game game;
  std::optional<data::TrajectoryWriter> writer;
  std::optional<Last> last;

  mutable std::mutex mutex;  // guards the rest
  std::condition_variable woken;
  std::deque<json> inbox;
  std::shared_ptr<Socket> player;
  PlayTally tally;
  std::optional<Error> fault;
  bool over = false;

  void run();
  bool obey(const json& message, double now);
  void fail(const Error& error);
  void settle();
  void keep();
  void throw_away();
  void say(const json& message);
  void show(bool picture);
  json hello() const;
  json state() const;

  void post(json message) {
    const std::lock_guard guard(mutex);
    inbox.push_back(std::move(message));
    woken.notify_one();
  }
  void seat(std::shared_ptr<Socket> socket);
  void leave(const std::shared_ptr<Socket>& socket);
};

/// One message at a time: what was pressed before a message is done before it.
void Play::Table::run() {
  for (;;) {
    std::optional<json> message;
    {
      std::unique_lock lock(mutex);
      const double wait = std::min(longest_wait, game.due().value_or(1e9) - steady_seconds());
      if (wait > 0) woken.wait_for(lock, std::chrono::duration<double>(wait), [&] { return over || !inbox.empty(); });
      if (over) return;
      if (!inbox.empty()) {
        message = std::move(inbox.front());
        inbox.pop_front();
      }
    }
    try {
      const double now = steady_seconds();
      bool picture = message && obey(*message, now);
      picture |= game.advance(now);
      settle();
      if (picture || message) show(picture);
    } catch (const Error& error) {
      return fail(error);
    } catch (const std::exception& error) {
      return fail(Error({.category = Category::failure,
                         .where = "environment " + environment->spec().name,
                         .what = error.what(),
                         .fix = ""}));
    }
  }
}

/// The environment cannot go on, and so the game is over.
void Play::Table::fail(const Error& error) {
  say(fault_message(error));
  const std::lock_guard guard(mutex);
  fault = error;
}

/// True when there is something new to draw.
bool Play::Table::obey(const json& message, double now) {
  const auto type = message.at("type").get<std::string>();
  if (type == "joined" || type == "left") {
    game.release_all();
    game.pause(true, now);
  }
  if (type == "joined") say(hello());
  if (type == "key" && message.at("down").get<bool>()) game.press(message.at("key").get<std::string>(), now);
  if (type == "key" && !message.at("down").get<bool>()) game.release(message.at("key").get<std::string>());
  if (type == "release") game.release_all();
  if (type == "pause") game.pause(message.at("on"), now);
  if (type == "speed") game.set_speed(message.at("value"));
  if (type == "reset") game.restart();
  if (type == "keep") keep();
  if (type == "throw_away") throw_away();
  return type == "joined" || type == "reset";
}

/// Episodes that ended by themselves are kept at once, others when the person asks for it.
void Play::Table::settle() {
  for (auto& ended : game.take_ended()) {
    const bool by_itself = !ended.cut;
    last = Last{std::move(ended)};
    if (by_itself) keep();
  }
}

void Play::Table::keep() {
  if (!writer || !last || last->kept) return;
  try {
    writer->add(last->ended.trajectory);
  } catch (const Error& error) {  // a full disk: the episode is still here, and can be kept once there is room
    return say(fault_message(error));
  }
  last->kept = true;
  const std::lock_guard guard(mutex);
  tally.episodes += 1;
  tally.steps += std::ssize(last->ended.trajectory.actions);
  tally.total_return += return_of(last->ended.trajectory);
}

void Play::Table::throw_away() {
  if (!writer || !last || !last->kept) return;
  try {
    writer->take_back();
  } catch (const Error& error) {
    return say(fault_message(error));
  }
  last->kept = false;
  const std::lock_guard guard(mutex);
  tally.episodes -= 1;
  tally.steps -= std::ssize(last->ended.trajectory.actions);
  tally.total_return -= return_of(last->ended.trajectory);
}

void Play::Table::say(const json& message) {
  std::shared_ptr<Socket> to;
  {
    const std::lock_guard guard(mutex);
    to = player;
  }
  if (to) to->send(message.dump());
}

void Play::Table::show(bool picture) {
  std::shared_ptr<Socket> to;
  {
    const std::lock_guard guard(mutex);
    to = player;
  }
  if (!to) return;
  to->send(state().dump());
  if (picture && environment->spec().can.render && to->queued() <= most_queued)
    to->send_binary(environments::encode_png(environment->render(options.width, options.height)));
}

json Play::Table::hello() const {
  auto keys = json::array();
  for (const auto& action : game.keyboard().actions())
    keys.push_back({{"label", action.label}, {"chords", action.chords}});
  const auto& spec = environment->spec();
  return {{"type", "hello"},
          {"environment", spec.name},
          {"title", title_of(spec)},
          {"turns", game.turns()},
          {"rate", game.rate()},
          {"width", options.width},
          {"height", options.height},
          {"picture", spec.can.render},
          {"keys", keys},
          {"idle", in_words(spec, game.keyboard().idle())},
          {"out", options.out.empty() ? json() : json(options.out.filename().string())},
          {"max_steps", spec.max_steps}};
}

json Play::Table::state() const {
  const auto& spec = environment->spec();
  json message = {{"type", "state"},
                  {"phase", name_of(game.phase())},
                  {"episode", game.episode()},
                  {"step", game.step()},
                  {"return", game.episode_return()},
                  {"action", game.last_action() ? json(in_words(spec, *game.last_action())) : json()},
                  {"speed", game.speed()},
                  {"text", spec.can.render ? json() : json(environment->text())},
                  {"last", nullptr}};
  if (last)
    message["last"] = {{"episode", last->ended.number},
                       {"steps", last->ended.trajectory.actions.size()},
                       {"return", return_of(last->ended.trajectory)},
                       {"end", ending_of(last->ended)},
                       {"kept", last->kept}};
  const std::lock_guard guard(mutex);
  message["kept"] = {{"episodes", tally.episodes}, {"steps", tally.steps}};
  return message;
}

/// Who comes last plays.
void Play::Table::seat(std::shared_ptr<Socket> socket) {
  std::shared_ptr<Socket> before;
  {
    const std::lock_guard guard(mutex);
    before = std::exchange(player, std::move(socket));
    inbox.push_back({{"type", "joined"}});
    woken.notify_one();
  }
  if (!before) return;
  before->send(json{{"type", "taken"}}.dump());
  before->close(1000, "another page plays now");
}

void Play::Table::leave(const std::shared_ptr<Socket>& socket) {
  const std::lock_guard guard(mutex);
  if (player != socket) return;
  player.reset();
  inbox.push_back({{"type", "left"}});
  woken.notify_one();
}

namespace {

[[noreturn]] void throw_not_understood(std::string where, std::string what) {
  throw Error({.category = Category::bad_data,
               .where = std::move(where),
               .what = std::move(what),
               .fix = "See docs/http_api.md."});
}

/// What the page says, checked: the thread trusts it.
json checked(std::string_view text) {
  const auto message = json::parse(text, nullptr, false);
  const auto type = body_field<std::string>(message, "type");
  if (type == "key")
    return {
        {"type", type}, {"key", body_field<std::string>(message, "key")}, {"down", body_field<bool>(message, "down")}};
  if (type == "pause") return {{"type", type}, {"on", body_field<bool>(message, "on")}};
  if (type == "speed") {
    const auto value = body_field<double>(message, "value");
    if (!std::isfinite(value)) throw_not_understood("value", "it is no speed");
    return {{"type", type}, {"value", value}};
  }
  for (const char* plain : {"release", "reset", "keep", "throw_away"})
    if (type == plain) return {{"type", type}};
  throw_not_understood("type", "there is no message \"" + type + "\"");
}

}  // namespace

Play::Play(std::unique_ptr<environments::Environment> environment, PlayOptions options) {
  require_sight(environment->spec());
  options.game.validate();
  if (!options.out.empty()) require_same_spec(options.out, environment->spec());
  table_ = std::make_shared<Table>(std::move(environment), std::move(options));
  if (!table_->options.out.empty()) table_->writer.emplace(table_->options.out);
  thread_ = std::thread([table = table_.get()] { table->run(); });
}

Play::~Play() {
  {
    const std::lock_guard guard(table_->mutex);
    table_->over = true;
    table_->woken.notify_one();
  }
  thread_.join();
}

void Play::add_routes(Router& router) {
  router.websocket("/api/play",
                   [table = table_](const Request&, std::shared_ptr<Socket> socket) {
                     table->seat(socket);
                     SocketEvents events;
                     events.message = [table, socket](std::string_view message, bool binary) {
                       try {
                         if (!binary) table->post(checked(message));
                       } catch (const Error& error) {
                         socket->close(1008, error.problem());
                       }
                     };
                     events.closed = [table, socket] { table->leave(socket); };
                     return events;
                   },
                   {.access = Access::annotators});
}

PlayTally Play::kept() const {
  const std::lock_guard guard(table_->mutex);
  return table_->tally;
}

std::optional<Error> Play::fault() const {
  const std::lock_guard guard(table_->mutex);
  return table_->fault;
}

}  // namespace rlhf::serving
