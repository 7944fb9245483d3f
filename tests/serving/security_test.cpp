// What attackers try, against a real server over real sockets.
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "rlhf/core/files.h"
#include "rlhf/serving/media.h"
#include "tests/core/scratch_folder.h"
#include "tests/serving/running.h"

namespace rlhf::serving {
namespace {

using namespace std::chrono_literals;

Router small() {
  Router router;
  router.get("/who", [](const Request& asked) { return Response::text(asked.session->name); });
  router.post("/change", [](const Request& asked) { return Response::text("changed by " + asked.session->name); });
  router.get("/runs", [](const Request&) { return Response::text("runs"); }, {.access = Access::viewers});
  router.post("/question", [](const Request&) { return Response::empty(); }, {.access = Access::owners});
  router.post("/short", [](const Request& asked) { return Response::text(asked.body); }, {.body_limit = 10});
  return router;
}

/// A server with an owner, an annotator "ada" with a password, and a viewer with a token.
class WithAccounts : public testing::Test {
 protected:
  WithAccounts() {
    accounts = std::make_shared<FileCredentials>(folder / "accounts.json");
    owner_token = accounts->new_token("boss", Role::owner);
    viewer_token = accounts->new_token("eve", Role::viewer);
    accounts->set_password("ada", Role::annotator, "correct horse");
    auto options = quick();
    options.audit = folder / "audit.jsonl";
    auth = std::make_shared<Auth>(accounts);
    running = std::make_unique<Running>(small(), options, auth);
  }

  Client::Reply post(std::string_view path, std::string_view headers, const nlohmann::json& body) {
    return running->ask(
        request("POST " + std::string(path), "Content-Type: application/json\r\n" + std::string(headers), body.dump()));
  }
  struct Login {
    std::string cookie, csrf;
    std::string headers() const { return "Cookie: " + cookie + "\r\nX-CSRF-Token: " + csrf + "\r\n"; }
  };
  Login sign_in(std::string_view headers = {}) {
    const auto reply = post("/api/login", headers, {{"name", "ada"}, {"password", "correct horse"}});
    EXPECT_EQ(reply.status, 200) << reply.body;
    set_cookie = reply.header("Set-Cookie");
    return {set_cookie.substr(0, set_cookie.find(';')), nlohmann::json::parse(reply.body)["csrf"]};
  }

  ScratchFolder folder;
  std::shared_ptr<FileCredentials> accounts;
  std::shared_ptr<Auth> auth;
  std::unique_ptr<Running> running;
  std::string owner_token, viewer_token, set_cookie;
};

TEST_F(WithAccounts, NothingWithoutALogin) {
  EXPECT_EQ(running->ask(request("GET /who")).status, 401);
  EXPECT_EQ(running->ask(request("POST /change")).status, 401);
  EXPECT_EQ(running->ask(request("GET /who", "Cookie: rlhf_session=guess\r\n")).status, 401);
  EXPECT_EQ(running->ask(request("GET /who", "Authorization: Bearer guess\r\n")).status, 401);
  EXPECT_EQ(running->ask(request("GET /health")).status, 200);
}

TEST_F(WithAccounts, ALoginIsACookieThatScriptsCannotRead) {
  const auto login = sign_in();
  EXPECT_NE(set_cookie.find("; HttpOnly"), std::string::npos);
  EXPECT_NE(set_cookie.find("; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(running->ask(request("GET /who", login.headers())).body, "ada");
}

TEST_F(WithAccounts, AChangeNeedsThePagesToken) {
  const auto login = sign_in();
  EXPECT_EQ(running->ask(request("POST /change", "Cookie: " + login.cookie + "\r\n")).status, 403);
  EXPECT_EQ(running->ask(request("POST /change", "Cookie: " + login.cookie + "\r\nX-CSRF-Token: x\r\n")).status, 403);
  EXPECT_EQ(running->ask(request("POST /change", login.headers())).body, "changed by ada");
  const auto other = sign_in();  // its token belongs to that login only
  EXPECT_EQ(
      running->ask(request("POST /change", "Cookie: " + login.cookie + "\r\nX-CSRF-Token: " + other.csrf + "\r\n"))
          .status,
      403);
}

TEST_F(WithAccounts, ALoginChosenByAnAttackerIsNotTakenOver) {
  const auto login = sign_in("Cookie: rlhf_session=fixed-by-attacker\r\n");
  EXPECT_EQ(login.cookie.find("fixed"), std::string::npos);
  EXPECT_EQ(running->ask(request("GET /who", "Cookie: rlhf_session=fixed-by-attacker\r\n")).status, 401);
  EXPECT_NE(login.cookie, sign_in("Cookie: " + login.cookie + "\r\n").cookie);  // new at each login
}

TEST_F(WithAccounts, ALogoutEndsTheLogin) {
  const auto login = sign_in();
  EXPECT_EQ(running->ask(request("POST /api/logout", login.headers())).status, 204);
  EXPECT_EQ(running->ask(request("GET /who", login.headers())).status, 401);
}

TEST_F(WithAccounts, ARemovedAccountIsOutAtOnce) {
  const auto login = sign_in();
  accounts->remove("ada");
  EXPECT_EQ(running->ask(request("GET /who", login.headers())).status, 401);
}

TEST_F(WithAccounts, RolesDoWhatTheyMay) {
  const auto annotator = sign_in().headers();
  const auto viewer = "Authorization: Bearer " + viewer_token + "\r\n";
  const auto owner = "Authorization: Bearer " + owner_token + "\r\n";
  EXPECT_EQ(running->ask(request("GET /runs", annotator)).status, 403);
  EXPECT_EQ(running->ask(request("GET /runs", viewer)).status, 200);
  EXPECT_EQ(running->ask(request("POST /question", annotator)).status, 403);
  EXPECT_EQ(running->ask(request("POST /question", viewer)).status, 403);
  EXPECT_EQ(running->ask(request("POST /question", owner)).status, 204);
  // A wrong token is nobody, even beside a good cookie.
  EXPECT_EQ(running->ask(request("GET /who", annotator + "Authorization: Bearer x\r\n")).status, 401);
}

TEST_F(WithAccounts, GuessingIsSlowedDown) {
  int refused = 0;
  for (int i = 0; i < 14; ++i)
    refused += post("/api/login", "", {{"name", "ada"}, {"password", "guess " + std::to_string(i)}}).status == 503;
  EXPECT_GE(refused, 3);
}

TEST_F(WithAccounts, WhatHappenedIsWrittenDown) {
  const auto login = sign_in();
  running->ask(request("POST /change", login.headers()));
  running->ask(request("POST /question", login.headers()));
  running->server.stop();
  const auto log = read_file(folder / "audit.jsonl");
  EXPECT_NE(log.find(R"("principal":"ada","role":"annotator","address":"127.0.0.1","action":"POST /change")"), log.npos)
      << log;
  EXPECT_NE(log.find(R"("action":"POST /question","path":"/question","status":403)"), log.npos) << log;
  EXPECT_EQ(log.find("horse"), log.npos);
}

TEST_F(WithAccounts, TheFileOfAccountsIsPrivateAndHasNoSecrets) {
  struct stat found{};
  ASSERT_EQ(::stat((folder / "accounts.json").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  const auto text = read_file(folder / "accounts.json");
  EXPECT_NE(text.find("$argon2id$"), text.npos);
  EXPECT_EQ(text.find("horse"), text.npos);
  EXPECT_EQ(text.find(owner_token), text.npos);
  ::chmod((folder / "accounts.json").c_str(), 0644);
  EXPECT_EQ(error_of([&] { FileCredentials again(folder / "accounts.json"); }).category(), Category::usage);
}

TEST(Security, NoNetworkWithoutAccounts) {
  auto options = quick();
  options.address = "0.0.0.0";
  const auto error = error_of([&] { Server server(options, small()); });
  EXPECT_EQ(error.category(), Category::usage);
  ScratchFolder folder;
  auto accounts = std::make_shared<FileCredentials>(folder / "accounts.json");
  accounts->new_token("boss", Role::owner);
  EXPECT_EQ(error_of([&] { Server server(options, small(), std::make_shared<Auth>(accounts)); }).problem(),
            "no annotator is named");
  accounts->new_token("ada", Role::annotator);
  Server allowed(options, small(), std::make_shared<Auth>(accounts));
}

TEST(Security, OnlyLoopbackNamesAreAnsweredTo) {
  Running running(small());
  const auto asked = [&](const std::string& host) {
    return running.ask("GET /who HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status;
  };
  for (const auto* good : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8080", "[::1]:8080"})
    EXPECT_EQ(asked(good), 200) << good;
  for (const auto* bad : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.evil.example", "",
                          "10.0.0.1", "[::2]", "localhost@evil.example"})
    EXPECT_EQ(asked(bad), 421) << bad;
  EXPECT_EQ(running.ask("GET /who HTTP/1.1\r\n\r\n").status, 421);
  EXPECT_EQ(running.ask("GET /who HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n").status, 421);
  EXPECT_EQ(running.ask("GET http://evil.example/who HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 421);
}

TEST(Security, PagesOfOtherSitesChangeNothing) {
  Running running(small());
  const auto asked = [&](const std::string& headers) {
    return running.ask("POST /change HTTP/1.1\r\nHost: " + running.host() + "\r\n" + headers + "\r\n").status;
  };
  EXPECT_EQ(asked(""), 200);  // a program
  EXPECT_EQ(asked("Origin: http://" + running.host() + "\r\n"), 200);
  for (const std::string bad : {"http://evil.example", "null", "https://localhost", "http://localhost:1", ""})
    EXPECT_EQ(asked("Origin: " + bad + "\r\n"), 403) << bad;
  EXPECT_EQ(asked("Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(asked("Sec-Fetch-Site: same-site\r\n"), 403);
}

TEST(Security, EveryAnswerCarriesItsHeaders) {
  Running running(small());
  for (const auto* line : {"GET /who", "GET /nothing", "DELETE /who", "GET /%zz"}) {
    const auto reply = running.ask(request(line));
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff") << line;
    EXPECT_NE(reply.header("Content-Security-Policy").find("frame-ancestors 'none'"), std::string::npos) << line;
    EXPECT_EQ(reply.header("Content-Security-Policy").find("unsafe"), std::string::npos) << line;
  }
}

TEST(Security, NoAddressLeadsOutOfTheMediaFolder) {
  ScratchFolder folder;
  const auto name = store_media(folder / "media", "picture");
  std::ofstream(folder / "secret.png") << "secret";
  std::filesystem::create_symlink(folder / "secret.png", folder / "media" / "link.png");
  Router router;
  add_media(router, folder / "media");
  Running running(std::move(router));
  EXPECT_EQ(running.ask(request("GET /media/" + name)).body, "picture");
  for (const std::string path :
       {"../secret.png", "..%2fsecret.png", "%2e%2e/secret.png", "%2e%2e%2fsecret.png", "..%5csecret.png",
        "....//secret.png", "..;/secret.png", "%252e%252e%252fsecret.png", "..%c0%afsecret.png", "%00", "link.png",
        "/etc/passwd", "%2fetc%2fpasswd", ".", "..", "secret.png%00.png"}) {
    const auto reply = running.ask(request("GET /media/" + path));
    EXPECT_TRUE(reply.status == 400 || reply.status == 404) << path << " " << reply.status;
    EXPECT_EQ(reply.body.find("secret\n"), std::string::npos);
  }
}

TEST(Security, WhatIsTooLargeIsRefusedUnread) {
  Running running(small());
  EXPECT_EQ(running.ask(request("POST /short", "", "12345678901")).status, 413);
  EXPECT_EQ(running.ask(request("POST /short", "Content-Length: 99999999999999\r\n")).status, 413);
  EXPECT_EQ(
      running.ask(request("POST /short", "Transfer-Encoding: chunked\r\n") + "b\r\n12345678901\r\n0\r\n\r\n").status,
      413);
  EXPECT_EQ(running.ask(request("POST /short", "", "1234567890")).body, "1234567890");
  EXPECT_EQ(running.ask(request("GET /who", "X: " + std::string(20000, 'x') + "\r\n")).status, 431);
  EXPECT_EQ(running.ask("GET /" + std::string(70000, 'x') + " HTTP/1.1\r\n\r\n").status, 431);
}

TEST(Security, BytesThatAreNoRequestAreRefused) {
  Running running(small());
  for (const std::string bytes :
       {"\x16\x03\x01\x02\x00 TLS hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "G\x01T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", "GET / HTTP/1.1\nHost: localhost\n\n",
        "POST /short HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /short HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        "POST /short HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"}) {
    auto client = running.client();
    client.send(bytes);
    EXPECT_EQ(client.read().status, 400) << bytes;
    EXPECT_TRUE(client.closed_within(3s)) << bytes;
  }
}

TEST(Security, GarbageAfterARequestIsItsOwnProblem) {
  Running running(small());
  auto client = running.client();
  client.send(request("GET /who") + "\x01\x02 garbage\r\n\r\n" + request("POST /change"));
  EXPECT_EQ(client.read().body, "local");
  EXPECT_EQ(client.read().status, 400);
  EXPECT_TRUE(client.closed_within(3s));  // what follows garbage is never run
}

TEST(Security, SlowSendersAreCutOffInTime) {
  Running running(small());
  auto header = running.client(), body = running.client();
  header.send("GET /who HTTP/1.1\r\n");
  body.send(request("POST /short", "Content-Length: 9\r\n"));
  const auto begin = std::chrono::steady_clock::now();
  bool header_open = true, body_open = true;
  while ((header_open || body_open) && std::chrono::steady_clock::now() - begin < 8s) {  // a byte now and then
    header_open = header_open && header.send("X") && !header.closed_within(50ms);
    body_open = body_open && body.send("x") && !body.closed_within(200ms);
  }
  EXPECT_FALSE(header_open || body_open);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
  EXPECT_EQ(running.ask(request("GET /who")).status, 200);
}

TEST(Security, ManyRequestsAreSlowedDown) {
  auto options = quick();
  options.limits.requests_per_second = 5;  // 20 at once
  Running running(small(), options);
  auto client = running.client();
  int refused = 0;
  for (int i = 0; i < 40; ++i) refused += client.ask(request("GET /who")).status == 429;
  EXPECT_GE(refused, 15);
  EXPECT_LE(refused, 20);
}

}  // namespace
}  // namespace rlhf::serving
