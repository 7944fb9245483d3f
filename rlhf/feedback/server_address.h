#pragma once
#include <filesystem>
#include <string>

namespace rlhf::feedback {

/// The address of the server that collects feedback into a store, written beside the store while this object lives: a
/// training that waits for people shows it to them. Nothing is written for a database server.
class ServerAddress {
 public:
  ServerAddress(const std::string& store, const std::string& url);
  ServerAddress(const ServerAddress&) = delete;
  ServerAddress& operator=(const ServerAddress&) = delete;
  ~ServerAddress();

 private:
  std::filesystem::path file_;
};

/// That address; empty while no server runs.
std::string server_address(const std::string& store);

}  // namespace rlhf::feedback
