// Annotators at a running `rlhf collect`, each on a connection of its own: how long they wait for the next question and
// for the acknowledgement of an answer.
//
//   bench_annotators PORT [ANNOTATORS [SECONDS [LABELS_PER_SECOND]]]      1000 annotators, 60 s, 250 labels a second
//
// Every annotator takes a turn at its own time: asks for a question, thinks, answers. A request counts from when it was
// due, so that waiting for a slow server is part of its time. The first tenth of the time warms up and is not counted.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>  // boost/asio of 1.74 uses std::exchange without it: before its headers

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Measured {
  Clock::time_point from, until;
  std::vector<double> next, answer;  // milliseconds
  std::int64_t empty = 0;            // times there was no question
  std::vector<std::string> refused;
};

class Annotator {
 public:
  Annotator(asio::io_context& context, int number, std::uint16_t port, Seconds turn, Measured& measured)
      : socket_(context),
        timer_(context),
        name_(fmt::format("annotator{}", number)),
        turn_(turn),
        measured_(measured),
        random_(static_cast<std::uint64_t>(number)) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(asio::ip::tcp::no_delay(true));
    due_ = Clock::now() + after(share());
    wait();
  }

 private:
  double share() { return std::uniform_real_distribution<>(0, 1)(random_); }
  Clock::duration after(double turns) const { return std::chrono::duration_cast<Clock::duration>(turns * turn_); }

  /// Turns begin one after the other, each within its own share of time, whatever the server needs.
  void wait() {
    if (due_ > measured_.until) return;
    timer_.expires_at(due_);
    timer_.async_wait([this](auto) { ask(); });
  }

  void ask() {
    request(http::verb::get, "/api/next?count=1", "", due_, measured_.next, [this](const nlohmann::json& reply) {
      const auto& held = reply.at("assignments");
      if (held.empty()) {
        ++measured_.empty;
        due_ += after(1);
        return wait();
      }
      think(held.at(0).at("id").get<std::string>());
    });
  }

  void think(const std::string& assignment) {
    const auto answered = std::max(Clock::now(), due_ + after(0.3 + 0.4 * share()));
    timer_.expires_at(answered);
    timer_.async_wait([this, assignment, answered](auto) { answer(assignment, answered); });
  }

  void answer(const std::string& assignment, Clock::time_point due) {
    const nlohmann::json body = {
        {"assignment", assignment},
        {"answer", {{"said", {{"kind", "comparison"}, {"best", share() < 0.5 ? 0 : 1}}}, {"active_seconds", 3.0}}}};
    request(http::verb::post, "/api/answer", body.dump(), due, measured_.answer, [this](const nlohmann::json&) {
      due_ += after(1);
      wait();
    });
  }

  template <class Then>
  void request(http::verb verb, const char* target, std::string body, Clock::time_point due, std::vector<double>& times,
               Then then) {
    request_ = {verb, target, 11};
    request_.set(http::field::host, "localhost");
    request_.set(http::field::cookie, "rlhf_name=" + name_);
    request_.set(http::field::content_type, "application/json");
    request_.body() = std::move(body);
    request_.prepare_payload();
    http::async_write(socket_, request_, [this, due, &times, then](auto error, std::size_t) {
      if (error) return measured_.refused.push_back(error.message());
      response_ = {};
      http::async_read(socket_, buffer_, response_, [this, due, &times, then](auto failed, std::size_t) {
        if (failed) return measured_.refused.push_back(failed.message());
        if (response_.result() != http::status::ok) return measured_.refused.push_back(response_.body());
        if (due >= measured_.from) times.push_back(1e3 * Seconds(Clock::now() - due).count());
        then(nlohmann::json::parse(response_.body()));
      });
    });
  }

  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::string name_;
  Seconds turn_;
  Measured& measured_;
  std::mt19937_64 random_;
  Clock::time_point due_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
  boost::beast::flat_buffer buffer_;
};

void raise_limit_of_sockets() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

nlohmann::json summary(std::vector<double> times) {
  if (times.empty()) return nullptr;
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return std::round(100 * times[static_cast<std::size_t>(share * (static_cast<double>(times.size()) - 1))]) / 100;
  };
  return {{"count", times.size()}, {"p50_ms", at(0.5)}, {"p99_ms", at(0.99)}, {"max_ms", at(1)}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: bench_annotators PORT [ANNOTATORS [SECONDS [LABELS_PER_SECOND]]]\n");
    return 2;
  }
  const auto given = [&](int place, double usual) { return count > place ? std::atof(arguments[place]) : usual; };
  const int annotators = static_cast<int>(given(2, 1000));
  const Seconds length(given(3, 60));
  const Seconds turn(annotators / given(4, 250));
  raise_limit_of_sockets();

  asio::io_context context(1);
  Measured measured;
  const auto begin = Clock::now();
  measured.from = begin + std::chrono::duration_cast<Clock::duration>(length / 10);
  measured.until = begin + std::chrono::duration_cast<Clock::duration>(length);
  try {
    std::vector<std::unique_ptr<Annotator>> all;
    for (int i = 0; i < annotators; ++i)
      all.push_back(std::make_unique<Annotator>(context, i, static_cast<std::uint16_t>(given(1, 0)), turn, measured));
    context.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  const auto rate = static_cast<double>(measured.answer.size()) / (0.9 * length.count());
  fmt::print("{}\n", nlohmann::json({{"annotators", annotators},
                                     {"labels_per_second", std::round(10 * rate) / 10},
                                     {"next", summary(measured.next)},
                                     {"answer", summary(measured.answer)},
                                     {"no_question", measured.empty},
                                     {"refused", measured.refused.size()}})
                         .dump());
  if (!measured.refused.empty()) fmt::print(stderr, "first refusal: {}\n", measured.refused.front());
  return measured.refused.empty() ? 0 : 1;
}
