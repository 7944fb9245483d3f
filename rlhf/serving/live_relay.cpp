#include "rlhf/serving/live_relay.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/feedback/session_link.h"
#include "rlhf/serving/body.h"
#include "rlhf/serving/page_session.h"

namespace rlhf::serving {
namespace {

using nlohmann::json;

constexpr std::size_t most_queued =
    256 << 10;  // bytes on their way to a browser; newer frames wait no longer than that

/// One browser that watches and teaches one agent.
class Relay {
 public:
  Relay(feedback::Store& store, std::string session, std::string annotator, feedback::SessionLink link,
        std::shared_ptr<Socket> socket)
      : store_(store),
        session_(std::move(session)),
        annotator_{std::move(annotator), feedback::Source::human},
        link_(std::move(link)),
        socket_(std::move(socket)),
        began_(steady_seconds()) {
    reader_ = std::thread([this] { forward(); });
  }

  ~Relay() {
    over_ = true;
    reader_.join();
  }

  /// From the browser.
  void hear(const std::string& text) {
    const double now = steady_seconds();
    const auto message = json::parse(text, nullptr, false);
    const auto type = body_field<std::string>(message, "type");
    if (const auto at = body_optional<double>(message, "at")) offset_ = std::min(offset_, now - *at);
    if (type == "ping") socket_->send(json{{"type", "pong"}, {"at", message.at("at")}}.dump());
    if (type == "signal") press(message, now);
    if (type == "undo") take_back(now);
    if (type == "pause") link_.send(json{{"type", body_field<bool>(message, "on") ? "pause" : "resume"}});
    if (type == "speed") link_.send(json{{"type", "speed"}, {"value", body_field<double>(message, "value")}});
  }

 private:
  /// Stored first, then forwarded, then acknowledged.
  void press(const json& message, double now) {
    feedback::ScalarSignal signal;
    signal.session = session_;
    signal.number = body_field<std::int64_t>(message, "number");
    signal.tick = body_field<std::int64_t>(message, "tick");
    signal.value = body_field<double>(message, "value");
    signal.delay = std::clamp(body_optional<double>(message, "delay").value_or(0.0), 0.0, 5.0);
    const double pressed = moment_of(message, now, signal.delay) + signal.delay;
    signal.time = pressed - began_;
    const auto sequence = store_.signal(annotator_, signal);
    {
      const std::lock_guard guard(mutex_);
      if (!sequences_.emplace(signal.number, sequence).second) return acknowledge(signal.number);
    }
    link_.send(feedback::Signal{sequence, annotator_.name, signal.value, pressed, signal.delay});
    acknowledge(signal.number);
  }

  /// When the picture that was on the screen left the session, see live_relay.h.
  double moment_of(const json& message, double now, double delay) const {
    const double at = body_field<double>(message, "at");
    if (const auto seen = body_optional<double>(message, "seen")) return std::min(now - delay, *seen);
    return std::min(now, at + offset_) - 2 * delay;
  }

  /// The newest press that was not taken back yet.
  void take_back(double now) {
    std::int64_t number = 0, sequence = 0, next = 0;
    {
      const std::lock_guard guard(mutex_);
      for (auto each = sequences_.rbegin(); each != sequences_.rend() && number == 0; ++each) {
        if (!undone_.contains(each->first)) std::tie(number, sequence) = *each;
      }
      if (number == 0) return;
      next = sequences_.rbegin()->first + 1'000'000'000 + static_cast<std::int64_t>(undone_.size());
      undone_.insert(number);
    }
    feedback::ScalarSignal undo;
    undo.session = session_;
    undo.number = next;
    undo.time = now - began_;
    undo.undoes = number;
    store_.signal(annotator_, undo);
    link_.send(json{{"type", "undo"}, {"id", sequence}});
  }

  void acknowledge(std::int64_t number) { socket_->send(json{{"type", "stored"}, {"number", number}}.dump()); }

  /// From the agent. A browser that is behind gets newer frames instead of all of them.
  void forward() {
    try {
      while (!over_ && socket_->connected()) {
        const auto message = link_.receive(std::chrono::milliseconds(100));
        if (!message) continue;
        const auto type = message->json.value("type", "");
        if (type == "hello") socket_->send(message->json.dump());
        if (type == "frame") show(*message);
        if (type == "end") break;
      }
    } catch (const Error&) {  // the session is over, or its process has gone
    }
    socket_->close(1000, "the session is over");
  }

  void show(const feedback::WireMessage& frame) {
    auto state = frame.json;
    state["type"] = "state";
    socket_->send(state.dump());
    if (socket_->queued() > most_queued || frame.binary.empty()) return;
    std::string bytes(8, '\0');
    const auto tick = static_cast<std::uint64_t>(frame.json.value("tick", std::int64_t{0}));
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((tick >> (8 * i)) & 0xFF);
    socket_->send_binary(bytes + frame.binary);
  }

  feedback::Store& store_;
  const std::string session_;
  const feedback::Annotator annotator_;
  feedback::SessionLink link_;
  std::shared_ptr<Socket> socket_;
  const double began_;
  double offset_ = 1e18;  // this machine's clock minus the browser's, plus the shortest way up
  std::mutex mutex_;
  std::map<std::int64_t, std::int64_t> sequences_;  // number of the press -> its event in the store
  std::set<std::int64_t> undone_;
  std::atomic<bool> over_{false};
  std::thread reader_;
};

bool plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  }) && name[0] != '.';
}

}  // namespace

void add_live_relay(Router& router, feedback::Store& store, std::filesystem::path folder) {
  router.websocket(
      "/api/live/{session}",
      [&store, folder](const Request& request, std::shared_ptr<Socket> socket) {
        const auto& session = request.parameter("session");
        if (!plain_name(session)) {
          throw Error(
              {.category = Category::bad_data, .where = "session", .what = "it is no session's name", .fix = ""});
        }
        auto link = feedback::SessionLink::connect(folder / (session + ".sock"), std::chrono::seconds(2));
        auto relay = std::make_shared<Relay>(store, session, annotator_name(request), std::move(link), socket);
        SocketEvents events;
        events.message = [relay, socket](std::string_view message, bool binary) {
          try {
            if (!binary) relay->hear(std::string(message));
          } catch (const Error& error) {
            socket->close(error.category() == Category::bad_data ? 1008 : 1011, error.problem());
          }
        };
        events.closed = [relay]() mutable { relay.reset(); };
        return events;
      },
      {.access = Access::annotators});
}

}  // namespace rlhf::serving
