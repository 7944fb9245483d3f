// How long a trivial request takes while many clients keep their connections open: server and clients in one process,
// over loopback. Each client sends its next request when it has its answer, or at its turn of a given rate.
//
//   bench_serving [CLIENTS [SECONDS [REQUESTS_PER_SECOND]]]      1000 clients, 5 s, as fast as they can
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <vector>

#include "rlhf/core/clock.h"
#include "rlhf/serving/server.h"

namespace {

constexpr std::string_view question = "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";

int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
  fmt::print(stderr, "a client could not connect\n");
  std::exit(1);
}

/// Every client asks again and again; returns the seconds of each answer.
std::vector<double> drive(std::uint16_t port, int clients, double seconds, double rate) {
  const int poll = ::epoll_create1(0);
  std::vector<double> sent_at;
  std::deque<int> ready;  // sockets without a request under way
  for (int i = 0; i < clients; ++i) {
    const int socket = connect_to(port);
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
    sent_at.resize(std::max<std::size_t>(sent_at.size(), static_cast<std::size_t>(socket) + 1));
    ready.push_back(socket);
  }
  std::vector<double> times;
  const double begin = rlhf::steady_seconds();
  double next = begin;
  std::vector<epoll_event> events(256);
  for (double now = begin; now < begin + seconds; now = rlhf::steady_seconds()) {
    for (; !ready.empty() && next <= now; ready.pop_front()) {
      // At a given rate a late request counts from when it was due: waiting for a slow server is part of its time.
      sent_at[static_cast<std::size_t>(ready.front())] = rate > 0 ? next : now;
      if (::send(ready.front(), question.data(), question.size(), MSG_NOSIGNAL) < 0) std::exit(1);
      if (rate > 0) next += 1 / rate;
    }
    const int count = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < count; ++i) {
      char answer[4096];  // a whole answer arrives at once: it is one small packet
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (::recv(socket, answer, sizeof answer, 0) <= 0) std::exit(1);
      times.push_back(rlhf::steady_seconds() - sent_at[static_cast<std::size_t>(socket)]);
      ready.push_back(socket);
    }
  }
  return times;
}

}  // namespace

int main(int count, char** arguments) {
  const int clients = count > 1 ? std::atoi(arguments[1]) : 1000;
  const double seconds = count > 2 ? std::atof(arguments[2]) : 5;
  const double rate = count > 3 ? std::atof(arguments[3]) : 0;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  using namespace rlhf::serving;
  Router router;
  router.get("/ping", [](const Request&) { return Response::text("pong"); });
  Server server({.workers = 2}, std::move(router));
  server.start();
  auto times = drive(server.port(), clients, seconds, rate);
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) { return 1e3 * times[static_cast<std::size_t>(share * (times.size() - 1.0))]; };
  fmt::print(
      "{{\"clients\": {}, \"requests_per_second\": {:.0f}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}, \"max_ms\": "
      "{:.2f}}}\n",
      clients, static_cast<double>(times.size()) / seconds, at(0.5), at(0.99), at(1));
  server.stop(std::chrono::seconds(1));
}
