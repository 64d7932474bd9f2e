// Audits payment from outside: reads the schemas of payment and review and the bank's statement,
// and names what is not as it must be. Exit code 0: nothing; 1: faults; 2: it could not look.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/flags/flag.h"
#include "common/base/settings.h"
#include "common/db/session.h"
#include "common/journal/vault.h"
#include "services/auditor/audit.h"

ABSL_FLAG(std::string, database, "",
          "An account that may read both schemas, mysql://user:password@host:port or @FILE.");
ABSL_FLAG(std::string, payment_schema, "yuezhan_payment", "Payment's schema.");
ABSL_FLAG(std::string, review_schema, "yuezhan_review", "Review's schema; empty: not looked at.");
ABSL_FLAG(std::string, statement, "",
          "The bank's statement of the whole time, CSV; empty: not looked at.");
ABSL_FLAG(std::string, vault_keys, "",
          "Payment's master keys, @FILE: to compare accounts with the bank's. Empty: not "
          "compared.");

namespace yuezhan {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "yuezhan-auditor: %s\n", std::string(status.message()).c_str());
  return 2;
}

int Run() {
  const auto url = ReadSecret(absl::GetFlag(FLAGS_database));
  if (!url.ok()) return Fail(url.status());
  auto options = db::ParseUrl(*url);
  if (!options.ok()) return Fail(options.status());
  options->read_timeout = absl::Hours(1);  // checks read whole tables
  db::Session session(*options);
  auditor::Evidence evidence{session, absl::GetFlag(FLAGS_payment_schema),
                             absl::GetFlag(FLAGS_review_schema)};
  std::vector<auditor::BankMove> moves;
  if (const std::string file = absl::GetFlag(FLAGS_statement); !file.empty()) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Fail(absl::NotFoundError(file));
    auto read =
        auditor::ReadBankStatement(std::string(std::istreambuf_iterator<char>(in), {}));
    if (!read.ok()) return Fail(read.status());
    moves = *std::move(read);
    evidence.bank = &moves;
  }
  std::optional<journal::Vault> vault;
  if (const std::string keys = absl::GetFlag(FLAGS_vault_keys); !keys.empty()) {
    const auto text = ReadSecret(keys);
    if (!text.ok()) return Fail(text.status());
    auto parsed = journal::Vault::Parse(*text);
    if (!parsed.ok()) return Fail(parsed.status());
    vault.emplace(*std::move(parsed));
    evidence.account_key = [&](std::string_view number) {
      return vault->SearchKey("payment.account", number);
    };
  }
  const auto faults = auditor::Audit(evidence);
  for (const auto& fault : faults)
    std::printf("%s  %s\n", fault.check.c_str(), fault.what.c_str());
  std::printf("%zu faults\n", faults.size());
  return faults.empty() ? 0 : 1;
}

}  // namespace
}  // namespace yuezhan

int main(int argc, char** argv) {
  yuezhan::ParseSettings(argc, argv, "An audit of payment, from outside of it.",
                         {{"database", [] {
                             return absl::GetFlag(FLAGS_database).empty() ? "must be given" : "";
                           }}});
  try {
    return yuezhan::Run();
  } catch (const yuezhan::db::Error& error) {
    std::fprintf(stderr, "yuezhan-auditor: %s\n", error.what());
    return 2;
  }
}
