#pragma once
#include <filesystem>
#include <memory>

#include "rlhf/algorithms/session.h"

namespace rlhf::algorithms {

struct SessionSocketConfig {
  std::filesystem::path path;     // of the socket; only this user may connect
  int width = 400, height = 267;  // of the frames, pixels
};

/// The audience behind a local socket: what feedback/session_wire.h describes, to one feedback::SessionLink at a time
/// (a newer connection replaces an older one).
///
/// Drawing and encoding happen in the socket's own thread from a copy of the state, and only the newest picture is
/// kept: neither a slow browser nor a large picture delays the agent. A message that cannot be read closes the
/// connection.
class SessionSocket : public Audience {
 public:
  /// `painter` is another object of the session's environment; it belongs to the socket's thread from now on.
  /// Throws rlhf::Error: usage when the environment has no state or picture or somebody listens there already, resource
  /// when the socket cannot be made.
  SessionSocket(const SessionSocketConfig& config, std::unique_ptr<environments::Environment> painter,
                const SessionConfig& session);
  ~SessionSocket() override;  // sends "end" and removes the socket

  std::vector<Request> requests() override;
  void acknowledge(std::int64_t id, Outcome outcome, std::int64_t tick) override;
  void show(const View& view, const environments::Environment& environment) override;

  bool connected() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace rlhf::algorithms
