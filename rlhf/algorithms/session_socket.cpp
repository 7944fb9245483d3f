#include "rlhf/algorithms/session_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

[[noreturn]] void throw_socket(const std::filesystem::path& path, Category category, std::string what,
                               std::string fix) {
  throw Error({.category = category, .where = path.string(), .what = std::move(what), .fix = std::move(fix)});
}

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.native().size() >= sizeof address.sun_path) {
    throw_socket(path, Category::usage,
                 fmt::format("a socket's path has at most {} bytes", sizeof address.sun_path - 1),
                 "Use a shorter path.");
  }
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  operator int() const { return number_; }

 private:
  int number_;
};

Descriptor listen_at(const std::filesystem::path& path) {
  const auto address = address_of(path);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); ::connect(probe, name, sizeof address) == 0) {
    throw_socket(path, Category::usage, "another session listens there", "End it, or choose another path.");
  }
  struct stat there;
  if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) ::unlink(path.c_str());  // a killed session's
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool done = listener >= 0 && ::bind(listener, name, sizeof address) == 0 && ::chmod(path.c_str(), 0600) == 0 &&
                    ::listen(listener, 4) == 0;
  if (!done) throw_socket(path, Category::resource, std::strerror(errno), "Choose a folder that can be written to.");
  return listener;
}

std::optional<Request> request_of(const nlohmann::json& message) {
  const auto type = message.at("type").get<std::string>();
  if (type == "signal") return feedback::signal_from_json(message);
  if (type == "undo") return UndoSignal{message.at("id")};
  if (type == "pause") return Pause{};
  if (type == "resume") return Resume{};
  if (type == "speed") return Speed{message.at("value")};
  if (type == "stop") return Stop{};
  return std::nullopt;  // a newer server may say more than we understand
}

nlohmann::json as_json(const data::Action& action) {
  return std::visit([](const auto& value) { return nlohmann::json(value); }, action);
}

nlohmann::json frame_message(const View& view) {
  return {{"type", "frame"},
          {"tick", view.tick},
          {"time", view.time},
          {"episode", view.episode},
          {"step", view.step},
          {"action", view.action ? as_json(*view.action) : nlohmann::json()},
          {"policy_version", view.policy_version},
          {"paused", view.paused},
          {"speed", view.speed},
          {"signals", view.signals}};
}

}  // namespace

struct SessionSocket::Server {
  struct Picture {
    nlohmann::json message;
    std::string state;
  };

  SessionSocketConfig config;
  std::unique_ptr<environments::Environment> painter;
  nlohmann::json hello;
  Descriptor listener, wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<bool> stopping = false, connected = false;

  std::mutex mutex;  // guards the next three
  std::vector<Request> received;
  std::string acknowledgements;
  std::optional<Picture> newest;

  // The thread's own.
  Descriptor client;
  feedback::WireReader reader;
  std::string outgoing;

  void run() {
    while (!stopping) {
      pollfd waits[] = {{.fd = listener, .events = POLLIN},
                        {.fd = wake, .events = POLLIN},
                        {.fd = client, .events = short(outgoing.empty() ? POLLIN : POLLIN | POLLOUT)}};
      if (::poll(waits, 3, -1) < 0) continue;  // interrupted
      if (waits[1].revents) drain_wake();
      if (waits[0].revents) accept();
      if (client >= 0 && waits[2].fd == client && (waits[2].revents & (POLLIN | POLLHUP | POLLERR))) read();
      prepare();
      write();
    }
    outgoing += feedback::encode({.json = {{"type", "end"}, {"reason", "the session is over"}}});
    write();
  }

  void drain_wake() {
    std::uint64_t count;
    [[maybe_unused]] const auto got = ::read(wake, &count, sizeof count);
  }

  void accept() {
    Descriptor next(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (next < 0) return;
    client = std::move(next);
    reader = {};
    outgoing = feedback::encode({.json = hello});
    connected = true;
  }

  void hang_up() {
    client = Descriptor();
    outgoing.clear();
    connected = false;
  }

  void read() {
    char bytes[1 << 14];
    const auto got = ::recv(client, bytes, sizeof bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return hang_up();
    if (got < 0) return;
    reader.add({bytes, static_cast<std::size_t>(got)});
    try {
      while (auto message = reader.next()) {
        if (auto request = request_of(message->json)) {
          const std::lock_guard lock(mutex);
          received.push_back(std::move(*request));
        }
      }
    } catch (const std::exception&) {  // not a server of ours: the session goes on without it
      hang_up();
    }
  }

  /// Takes what waits to be sent. A picture only when the last one has left, so that at most one waits.
  void prepare() {
    std::optional<Picture> picture;
    {
      const std::lock_guard lock(mutex);
      if (client >= 0) outgoing += acknowledgements;
      acknowledgements.clear();
      if (client < 0 || !outgoing.empty() || !newest) return;
      picture = std::exchange(newest, std::nullopt);
    }
    painter->set_state(picture->state);
    outgoing = feedback::encode({.json = std::move(picture->message),
                                 .binary = environments::encode_png(painter->render(config.width, config.height))});
  }

  void write() {
    while (client >= 0 && !outgoing.empty()) {
      const auto sent = ::send(client, outgoing.data(), outgoing.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) return hang_up();
      outgoing.erase(0, static_cast<std::size_t>(sent));
    }
  }

  void nudge() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(wake, &one, sizeof one);
  }

  std::thread thread;
};

SessionSocket::SessionSocket(const SessionSocketConfig& config, std::unique_ptr<environments::Environment> painter,
                             const SessionConfig& session)
    : server_(std::make_unique<Server>()) {
  const auto& spec = painter->spec();
  if (!spec.can.state || !spec.can.render) {
    throw_socket(config.path, Category::usage, "the environment " + spec.name + " cannot be shown from its state",
                 "Shape one whose spec declares state and render.");
  }
  nlohmann::json actions = nullptr;
  if (const auto* space = std::get_if<environments::Discrete>(&spec.action)) actions = space->choices;
  server_->hello = {{"type", "hello"},          {"version", feedback::session_wire_version},
                    {"environment", spec.name}, {"actions", std::move(actions)},
                    {"rate", session.rate},     {"width", config.width},
                    {"height", config.height}};
  server_->config = config;
  server_->painter = std::move(painter);
  server_->listener = listen_at(config.path);
  server_->thread = std::thread([server = server_.get()] { server->run(); });
}

SessionSocket::~SessionSocket() {
  server_->stopping = true;
  server_->nudge();
  server_->thread.join();
  ::unlink(server_->config.path.c_str());
}

std::vector<Request> SessionSocket::requests() {
  const std::lock_guard lock(server_->mutex);
  return std::exchange(server_->received, {});
}

void SessionSocket::acknowledge(std::int64_t id, Outcome outcome, std::int64_t tick) {
  const std::lock_guard lock(server_->mutex);
  server_->acknowledgements +=
      feedback::encode({.json = {{"type", "ack"}, {"id", id}, {"status", outcome_name(outcome)}, {"tick", tick}}});
}

void SessionSocket::show(const View& view, const environments::Environment& environment) {
  if (!connected()) return;
  {
    const std::lock_guard lock(server_->mutex);
    server_->newest = Server::Picture{.message = frame_message(view), .state = environment.state()};
  }
  server_->nudge();
}

bool SessionSocket::connected() const { return server_->connected; }

}  // namespace rlhf::algorithms
