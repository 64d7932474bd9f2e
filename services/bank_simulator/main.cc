// A bank to pay through that moves no money: for demonstrations and tests.
#include <cstdio>

#include "absl/flags/flag.h"
#include "common/auth/tokens.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/rpc/server.h"
#include "services/bank_simulator/bank.h"

ABSL_FLAG(std::string, books, "", "File of the bank's books; made when missing.");
ABSL_FLAG(std::string, simulated_clock, "",
          "File of a simulated business clock shared with other processes.");
ABSL_FLAG(std::string, token_keys, "",
          "Folder of public keys (KEY_ID.pem, P-256) that sign callers' tokens.");
ABSL_FLAG(std::string, token_issuer, "yuezhan", "Issuer that tokens must name.");
ABSL_FLAG(std::string, listen, "127.0.0.1:0",
          "Address to serve on, host:port; port 0 takes a free one.");
ABSL_FLAG(std::string, port_file, "", "File that the port is written to once serving.");
ABSL_FLAG(std::string, tls_cert, "", "Certificate (PEM).");
ABSL_FLAG(std::string, tls_key, "", "Private key of --tls_cert (PEM).");
ABSL_FLAG(std::string, tls_ca, "", "Authority (PEM) of the services' certificates.");
ABSL_FLAG(bool, plaintext, false, "Without TLS: demonstrations and tests on one machine only.");

namespace yuezhan {
namespace {

std::vector<SettingCheck> Checks() {
  return {
      {"books", [] { return absl::GetFlag(FLAGS_books).empty() ? "must be given" : ""; }},
      {"token_keys", [] { return absl::GetFlag(FLAGS_token_keys).empty() ? "must be given" : ""; }},
      {"tls_cert",
       [] {
         return absl::GetFlag(FLAGS_tls_cert).empty() && !absl::GetFlag(FLAGS_plaintext)
                    ? "must be given with --tls_key and --tls_ca, or else --plaintext"
                    : "";
       }},
  };
}

rpc::ServerOptions Options() {
  rpc::ServerOptions options;
  options.listen = absl::GetFlag(FLAGS_listen);
  options.port_file = absl::GetFlag(FLAGS_port_file);
  options.tls_cert = absl::GetFlag(FLAGS_tls_cert);
  options.tls_key = absl::GetFlag(FLAGS_tls_key);
  options.tls_ca = absl::GetFlag(FLAGS_tls_ca);
  options.plaintext = absl::GetFlag(FLAGS_plaintext);
  options.handler_threads = 32;  // calls that get no answer hold one each
  return options;
}

absl::Status Serve(rpc::TerminationSignals& signals) {
  absl::StatusOr<Clocks> clocks = OpenClocks(absl::GetFlag(FLAGS_simulated_clock));
  if (!clocks.ok()) return clocks.status();
  absl::StatusOr<std::unique_ptr<bank::Books>> books =
      bank::Books::Open(absl::GetFlag(FLAGS_books));
  if (!books.ok()) return books.status();
  auth::VerifierOptions trusted;
  trusted.key_directory = absl::GetFlag(FLAGS_token_keys);
  trusted.issuer = absl::GetFlag(FLAGS_token_issuer);
  absl::StatusOr<std::unique_ptr<auth::TokenVerifier>> verifier =
      auth::TokenVerifier::Create(trusted);
  if (!verifier.ok()) return verifier.status();

  bank::Bank bank(*std::move(books), *std::move(clocks));
  rpc::Server server(Options(), verifier->get());
  for (rpc::Service& service : bank.Services()) server.Add(std::move(service));
  if (absl::Status status = server.Start(); !status.ok()) return status;
  signals.Wait();
  bank.StopWaiting();
  server.Stop();
  return absl::OkStatus();
}

}  // namespace
}  // namespace yuezhan

int main(int argc, char** argv) {
  yuezhan::rpc::TerminationSignals signals;
  yuezhan::ParseSettings(argc, argv, "A simulated bank: it keeps books and moves no money.",
                         yuezhan::Checks());
  const absl::Status status = yuezhan::Serve(signals);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", argv[0], std::string(status.message()).c_str());
  return 1;
}
