#pragma once
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/core/scratch_folder.h"

namespace rlhf::feedback {

/// A PostgreSQL server of a test's own, reached by a socket in its folder. PostgreSQL refuses to run as root.
class PostgresServer {
 public:
  static constexpr const char* programs = "/usr/lib/postgresql/15/bin/";
  static bool installed() { return ::access((std::string(programs) + "initdb").c_str(), X_OK) == 0; }

  PostgresServer() {
    if (::geteuid() == 0) {
      const auto* user = ::getpwnam("postgres");
      if (user && ::chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0) ADD_FAILURE() << "no owner";
    }
    run("initdb -U postgres -A trust -D " + folder() + "/data > /dev/null");
    start();
  }
  static PostgresServer& of_this_program() {
    static PostgresServer server;
    return server;
  }

  ~PostgresServer() { run("pg_ctl -D " + folder() + "/data -m immediate stop > /dev/null"); }

  std::string location(const std::string& database = "postgres") const {
    return "postgresql:///" + database + "?user=postgres&host=" + folder();
  }

  /// Where there is an empty database.
  std::string new_database() {
    const auto name = "test" + std::to_string(++databases_);
    run("createdb -h " + folder() + " -U postgres " + name);
    return location(name);
  }

  /// As after a power cut: connections break, what was not committed is gone.
  void kill_and_restart() {
    run("pg_ctl -D " + folder() + "/data -m immediate stop > /dev/null");
    start();
  }

 private:
  std::string folder() const { return folder_.path().string(); }
  void start() {
    run("pg_ctl -w -D " + folder() + "/data -l " + folder() + "/log -o \"-k " + folder() +
        " -c listen_addresses=''\" start > /dev/null");
  }
  void run(const std::string& command) {
    auto line = "cd " + folder() + " && " + programs + command;
    if (::geteuid() == 0) line = "su postgres -s /bin/sh -c '" + line + "'";
    if (std::system(line.c_str()) != 0) ADD_FAILURE() << command;
  }

  ScratchFolder folder_;
  int databases_ = 0;
};

}  // namespace rlhf::feedback
