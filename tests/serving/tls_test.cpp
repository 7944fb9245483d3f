// TLS with a certificate made for the test.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/core/scratch_folder.h"
#include "tests/serving/running.h"

namespace rlhf::serving {
namespace {

/// Writes a self-signed certificate for "localhost" and its key.
void make_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  X509* made = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, pair);
  auto* name = X509_get_subject_name(made);
  const auto* host = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_sign(made, pair, EVP_sha256());
  FILE* file = std::fopen(certificate.c_str(), "w");
  PEM_write_X509(file, made);
  std::fclose(file);
  file = std::fopen(key.c_str(), "w");
  PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(made);
  EVP_PKEY_free(pair);
}

class Tls : public testing::Test {
 protected:
  Tls() {
    make_certificate(folder / "certificate.pem", folder / "key.pem");
    options.certificate = folder / "certificate.pem";
    options.key = folder / "key.pem";
    router.get("/secure", [](const Request& asked) { return Response::text(asked.secure ? "yes" : "no"); });
  }

  /// All that comes back for `text`, asked with a version of TLS that is at most `version`; empty when none is agreed
  /// on.
  std::string ask(std::uint16_t port, const std::string& text, int version) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);  // lets the old versions be offered
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, version);
    BIO* connection = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(connection, ("127.0.0.1:" + std::to_string(port)).c_str());
    std::string answer;
    if (BIO_do_connect(connection) == 1 && BIO_write(connection, text.data(), static_cast<int>(text.size())) > 0) {
      char bytes[4096];
      for (int got; (got = BIO_read(connection, bytes, sizeof bytes)) > 0;)
        answer.append(bytes, static_cast<std::size_t>(got));
    }
    BIO_free_all(connection);
    SSL_CTX_free(context);
    ERR_clear_error();
    return answer;
  }

  ScratchFolder folder;
  ServerOptions options = quick();
  Router router;
};

TEST_F(Tls, AnswersAndKnowsThatItIsSecure) {
  Running running(std::move(router), options);
  EXPECT_EQ(running.server.url().substr(0, 8), "https://");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto answer = ask(running.server.port(), request("GET /secure", "Connection: close\r\n"), version);
    EXPECT_NE(answer.find("\r\n\r\nyes"), answer.npos) << answer;
    EXPECT_NE(answer.find("Strict-Transport-Security: "), answer.npos);
  }
}

TEST_F(Tls, OldVersionsAndPlainTextGetNothing) {
  Running running(std::move(router), options);
  EXPECT_EQ(ask(running.server.port(), request("GET /secure"), TLS1_1_VERSION), "");
  auto client = running.client();
  client.send(request("GET /secure"));
  EXPECT_EQ(client.read().status, 0);
  auto silent = running.client();  // a handshake that never begins ends as well
  EXPECT_TRUE(silent.closed_within(std::chrono::seconds(4)));
}

TEST_F(Tls, AKeyOfAnotherCertificateIsSaid) {
  make_certificate(folder / "other.pem", folder / "other_key.pem");
  options.key = folder / "other_key.pem";
  EXPECT_EQ(error_of([&] { Server server(options, std::move(router)); }).category(), Category::usage);
}

}  // namespace
}  // namespace rlhf::serving
