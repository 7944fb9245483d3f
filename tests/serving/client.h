#pragma once
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

namespace rlhf::serving {

/// A client of bare sockets: it sends exactly the bytes a test wants, wrong ones too.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  Client(Client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_), unread_(std::move(other.unread_)) {}
  ~Client() { hang_up(); }

  bool connected() const { return connected_; }
  void hang_up() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  struct Reply {
    int status = 0;  // 0: none came
    std::string head, body;
    std::string header(std::string_view name) const {
      const auto begin = head.find("\r\n" + std::string(name) + ": ");
      if (begin == head.npos) return {};
      const auto value = begin + name.size() + 4;
      return head.substr(value, head.find("\r\n", value) - value);
    }
  };

  /// The next answer, with Content-Length or until the server closes.
  Reply read(bool head_only = false, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    Reply reply;
    while (unread_.find("\r\n\r\n") == unread_.npos)
      if (!more(until)) return reply;
    reply.head = unread_.substr(0, unread_.find("\r\n\r\n") + 2);
    unread_.erase(0, reply.head.size() + 2);
    reply.status = std::stoi(reply.head.substr(9, 3));
    const auto length = reply.header("Content-Length");
    if (head_only || reply.status == 304 || reply.status == 204 || reply.status / 100 == 1) return reply;
    if (!length.empty()) {
      while (unread_.size() < std::stoul(length))
        if (!more(until)) return reply;
      reply.body = unread_.substr(0, std::stoul(length));
      unread_.erase(0, reply.body.size());
    } else {
      while (more(until)) {
      }
      reply.body = std::exchange(unread_, {});
    }
    return reply;
  }

  /// Whatever comes until `text` has come.
  std::string read_until(std::string_view text, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (unread_.find(text) == unread_.npos && more(until)) {
    }
    return unread_;
  }

  /// Does the server close within this time?
  bool closed_within(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (more(until)) {
    }
    return std::chrono::steady_clock::now() < until;
  }

  Reply ask(std::string_view bytes) { return send(bytes) ? read() : Reply{}; }

 private:
  /// Reads what there is; false at the end or when the time is over.
  bool more(std::chrono::steady_clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd asked{.fd = socket_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&asked, 1, static_cast<int>(left.count())) <= 0) return false;
    char bytes[65536];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    unread_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string unread_;
};

/// "GET /a HTTP/1.1" with the headers every client sends, and those given.
inline std::string request(std::string_view line, std::string_view headers = {}, std::string_view body = {}) {
  std::string text = std::string(line) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

}  // namespace rlhf::serving
