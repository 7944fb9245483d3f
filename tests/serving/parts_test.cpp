// The parts that need no server: allowances, numbers, logins, workers, who is believed behind a proxy.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "rlhf/core/files.h"
#include "rlhf/serving/detail/gate.h"
#include "rlhf/serving/detail/workers.h"
#include "rlhf/serving/metrics_registry.h"
#include "rlhf/serving/secrets.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::serving {
namespace {

TEST(RateLimiter, RefillsWithTime) {
  double now = 0;
  RateLimiter limiter(2, 4, [&] { return now; });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(limiter.take("a"), 0);
  EXPECT_DOUBLE_EQ(limiter.take("a"), 0.5);
  EXPECT_EQ(limiter.take("b"), 0);  // another key has its own
  now = 0.5;
  EXPECT_EQ(limiter.take("a"), 0);
  now = 100;  // never more than the burst
  for (int i = 0; i < 4; ++i) EXPECT_EQ(limiter.take("a"), 0);
  EXPECT_GT(limiter.take("a"), 0);
}

TEST(RateLimiter, RemembersNoMoreKeysThanItMay) {
  double now = 0;
  RateLimiter limiter(1, 2, [&] { return now; }, 10);
  limiter.take("spent", 2);
  for (int i = 0; i < 9; ++i) limiter.take("other " + std::to_string(i));
  now = 1.5;  // the others are full again and make room; "spent" is not
  EXPECT_EQ(limiter.take("new"), 0);
  EXPECT_EQ(limiter.take("spent"), 0);
  EXPECT_GT(limiter.take("spent"), 0);
}

TEST(MetricsRegistry, WritesPrometheusText) {
  MetricsRegistry metrics;
  metrics.counter("a_total", "Things", {{"kind", "x\"y"}}).add(2);
  metrics.gauge("b", "Level").set(-1.5);
  auto& times = metrics.histogram("c_seconds", "Times", {0.1, 1});
  for (const double seconds : {0.1, 0.5, 5.0}) times.observe(seconds);
  EXPECT_EQ(metrics.text(),
            "# HELP a_total Things\n# TYPE a_total counter\na_total{kind=\"x\\\"y\"} 2\n"
            "# HELP b Level\n# TYPE b gauge\nb -1.5\n"
            "# HELP c_seconds Times\n# TYPE c_seconds histogram\n"
            "c_seconds_bucket{le=\"0.1\"} 1\nc_seconds_bucket{le=\"1\"} 2\nc_seconds_bucket{le=\"+Inf\"} 3\n"
            "c_seconds_sum 5.6\nc_seconds_count 3\n");
}

TEST(Secrets, PasswordsAndTokens) {
  const auto hash = hash_password("correct horse");
  EXPECT_EQ(hash.rfind("$argon2id$v=19$m=65536,", 0), 0u) << hash;
  EXPECT_TRUE(password_fits("correct horse", hash));
  EXPECT_FALSE(password_fits("correct horsf", hash));
  EXPECT_THROW(hash_password("short"), Error);
  EXPECT_EQ(random_token().size(), 43u);
  EXPECT_NE(random_token(), random_token());
}

Request with_cookie(const Auth::Login& login) {
  Request request;
  request.cookies["rlhf_session"] = login.id;
  return request;
}

TEST(Auth, LoginsEndWhenTheyAreOldOrUnused) {
  ScratchFolder folder;
  double now = 0;
  auto accounts = std::make_shared<FileCredentials>(folder / "accounts.json");
  const auto token = accounts->new_token("ada", Role::annotator);
  Auth auth(accounts, {.idle_seconds = 10, .longest_seconds = 25, .now = [&] { return now; }});
  const auto unused = *auth.sign_in_with_token(token, "a"), used = *auth.sign_in_with_token(token, "a");
  for (now = 8; now <= 24; now += 8) EXPECT_TRUE(auth.identify(with_cookie(used))) << now;
  EXPECT_FALSE(auth.identify(with_cookie(unused)));
  now = 26;
  EXPECT_FALSE(auth.identify(with_cookie(used)));
}

TEST(Auth, OverTlsOnlyTheCookieWithThePrefixCounts) {
  ScratchFolder folder;
  auto accounts = std::make_shared<FileCredentials>(folder / "accounts.json");
  Auth auth(accounts, {.participants = true});
  const auto login = *auth.participate("P-1", "a");
  EXPECT_EQ(login.principal.name, "participant:P-1");
  auto request = with_cookie(login);
  EXPECT_TRUE(auth.identify(request));
  request.secure = true;
  EXPECT_FALSE(auth.identify(request));
  EXPECT_EQ(Auth::cookie("x", true), "__Host-rlhf_session=x; Path=/; HttpOnly; SameSite=Strict; Secure");
  for (const auto* bad : {"", "a b", "../x", "a\n"}) EXPECT_FALSE(auth.participate(bad, "a")) << bad;
  EXPECT_FALSE(Auth(accounts).participate("P-1", "a"));  // unless the owner allows it
}

TEST(FileCredentials, SurvivesAndRefusesWhatIsNone) {
  ScratchFolder folder;
  const auto file = folder / "accounts.json";
  const auto token = FileCredentials(file).new_token("ada", Role::viewer);
  EXPECT_EQ(Auth(std::make_shared<FileCredentials>(file)).sign_in_with_token(token, "a")->principal.name, "ada");
  EXPECT_EQ(error_of([&] { FileCredentials(file).new_token("a b", Role::viewer); }).category(), Category::usage);
  write_file_atomic(file, "{\"accounts\": [{\"name\": \"x\", \"role\": \"king\"}]}");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  EXPECT_EQ(error_of([&] { FileCredentials again(file); }).category(), Category::bad_data);
}

TEST(Gate, BelievesOnlyTrustedProxies) {
  const ServerOptions options{.trusted_proxies = {"127.0.0.1", "10.0.0.9"}};
  detail::Gate gate(options, nullptr);
  const auto client_of = [&](const std::string& from, const std::string& list) {
    Request request{.method = "GET", .path = "/", .address = from};
    request.headers.set("Host", "localhost");
    request.headers.set("X-Forwarded-For", list);
    request.headers.set("X-Forwarded-Proto", "https");
    gate.before_body(request, nullptr, false);
    return request.address + (request.secure ? " secure" : "");
  };
  EXPECT_EQ(client_of("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.9"),
            "1.2.3.4 secure");  // 6.6.6.6 is the client's own words
  EXPECT_EQ(client_of("5.5.5.5", "1.2.3.4"), "5.5.5.5");
}

TEST(Workers, RefuseWhatTheyCannotTakeAndFinishTheRest) {
  std::atomic<bool> go = false;
  std::atomic<int> done = 0;
  detail::Workers workers(2, 1);
  const auto work = [&] {
    while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++done;
  };
  int taken = 0;
  for (int i = 0; i < 20; ++i) {
    taken += workers.run(work);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(taken, 3);  // two at work, one waiting
  go = true;
  workers.finish();
  EXPECT_EQ(done, 3);
  EXPECT_FALSE(workers.run(work));
}

}  // namespace
}  // namespace rlhf::serving
