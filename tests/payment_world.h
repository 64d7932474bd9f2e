// Payment, the simulated bank and a database of its own as processes that a test may kill, and what
// stands around them: review's journal and rows, registry and application as far as payment asks.
#ifndef YUEZHAN_TESTS_PAYMENT_WORLD_H_
#define YUEZHAN_TESTS_PAYMENT_WORLD_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/db/pool.h"
#include "common/host/rulebook.h"
#include "common/journal/journal.h"
#include "common/journal/vault.h"
#include "common/rpc/server.h"
#include "services/auditor/audit.h"
#include "services/payment/test_payment.h"
#include "services/yz/process.h"
#include "services/yz/stack.h"

namespace yuezhan::auth {
class TokenVerifier;
}

namespace yuezhan::tests {

// A MariaDB in a folder of the test, on one port for its whole life.
class OwnDatabase {
 public:
  explicit OwnDatabase(const std::string& directory);
  const std::string& url() const { return url_; }
  // SIGKILL, and started again; returns when it serves.
  void KillAndStart();

 private:
  void AwaitServing();
  const std::string directory_;
  std::string url_;
  std::string program_;
  std::vector<std::string> arguments_;
  std::unique_ptr<yz::Process> process_;
};

class PaymentWorld {
 public:
  PaymentWorld();
  ~PaymentWorld();

  // Calls, again and again while a process is away; any other error is the answer.
  absl::Status Call(const std::string& subject, Role role, std::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* answer);
  template <typename Answer, typename Request>
  absl::StatusOr<Answer> Ask(const std::string& subject, Role role, std::string_view method,
                             const Request& request) {
    Answer answer;
    const absl::Status status = Call(subject, role, method, request, &answer);
    if (!status.ok()) return status;
    return answer;
  }

  // How many calls were answered.
  int64_t answered() const { return answered_; }

  // Cases that review awarded and cleared, in its rows and its journal.
  std::vector<payment::TestCase> Clear(int count);
  // How the bank misbehaves from now on; told again whenever it was killed.
  void Misbehave(bank::v1::SetBehaviorRequest how);
  // The bank's statement of everything.
  std::string Statement();

  // SIGKILL, and started again.
  void Kill(const std::string& instance);
  OwnDatabase& database() { return *database_; }
  // Copies payment's tables aside, or back from there, while it is not running; back: a hold.
  void Backup();
  void Restore();

  // What payment finds an account by.
  std::function<std::string(std::string_view)> AccountKey() const;
  // What the auditor finds with the bank's books as they are.
  std::vector<auditor::Fault> Audit();
  // The same by its program; its output.
  std::string AuditByProgram(int* code);
  db::Session Administrator();
  std::string Schema(const std::string& service) { return stack_->Database(service).schema; }

 private:
  void ServePeers();
  void CopyTables(const std::string& from, const std::string& to);

  std::string directory_;
  std::unique_ptr<OwnDatabase> database_;
  payment::TestPeer peer_;
  std::unique_ptr<auth::TokenVerifier> verifier_;
  std::unique_ptr<rpc::Server> peers_;
  std::unique_ptr<yz::Stack> stack_;
  std::unique_ptr<journal::Vault> review_vault_;
  std::unique_ptr<journal::Vault> payment_vault_;
  std::unique_ptr<db::Pool> review_pool_;
  std::unique_ptr<journal::Journal> review_;
  Rulebook rulebook_;
  bank::v1::SetBehaviorRequest behavior_;
  std::atomic<int64_t> answered_ = 0;
};

}  // namespace yuezhan::tests

#endif  // YUEZHAN_TESTS_PAYMENT_WORLD_H_
