#include "rlhf/feedback/session_link.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

[[noreturn]] void throw_gone(const std::string& what) {
  throw Error({.category = Category::resource,
               .where = "session socket",
               .what = what,
               .fix = "Start the training session (again), then connect."});
}

/// A connected socket, or -1 with errno set.
int try_connect(const sockaddr_un& address) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  return -1;
}

}  // namespace

SessionLink SessionLink::connect(const std::filesystem::path& socket, std::chrono::duration<double> patience) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (socket.native().size() >= sizeof address.sun_path) {
    throw_gone(fmt::format("the path {} is longer than {} bytes", socket.string(), sizeof address.sun_path - 1));
  }
  std::strcpy(address.sun_path, socket.c_str());
  const double until = steady_seconds() + patience.count();
  for (;;) {
    if (const int descriptor = try_connect(address); descriptor >= 0) return SessionLink(descriptor);
    if (steady_seconds() >= until) throw_gone(fmt::format("{}: {}", socket.string(), std::strerror(errno)));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

SessionLink::SessionLink(SessionLink&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), reader_(std::move(other.reader_)) {}

SessionLink::~SessionLink() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<WireMessage> SessionLink::receive(std::chrono::duration<double> timeout) {
  const double until = steady_seconds() + timeout.count();
  for (;;) {
    if (auto message = reader_.next()) return message;
    pollfd wait{.fd = descriptor_, .events = POLLIN};
    const double left = std::max(until - steady_seconds(), 0.0);
    const int ready = ::poll(&wait, 1, static_cast<int>(left * 1000 + 0.5));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return std::nullopt;
    char bytes[1 << 16];
    const auto got = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw_gone(got == 0 ? "the session closed the connection" : std::strerror(errno));
    reader_.add({bytes, static_cast<std::size_t>(got)});
  }
}

void SessionLink::send(const nlohmann::json& message) {
  const auto bytes = encode({.json = message});
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto done = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_gone(std::strerror(errno));
    sent += static_cast<std::size_t>(done);
  }
}

}  // namespace rlhf::feedback
