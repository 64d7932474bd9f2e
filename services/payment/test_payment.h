#ifndef YUEZHAN_SERVICES_PAYMENT_TEST_PAYMENT_H_
#define YUEZHAN_SERVICES_PAYMENT_TEST_PAYMENT_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/text.h"
#include "common/host/test_host.h"
#include "gtest/gtest.h"
#include "services/payment/handlers.h"
#include "services/payment/reconciliation.h"
#include "services/payment/test_bank.h"
#include "services/payment/transfers.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::payment {

// One station with its host, application and case, as the other services would tell of them.
struct TestCase {
  TestCase();
  std::string case_name;
  std::string application;
  std::string station;
  std::string host_unit;
  rules::v1::AccountFacts account;
  std::string line_digest;
  int64_t amount_fen = 5'000'000;
  int year = 2026;
};

inline int64_t Fen(const google::type::Money& money) { return FenOf(money).value(); }

// Whether it is a refusal that names the rule.
void ExpectRefused(const absl::Status& status, const std::string& rule);

// The event of review that the case went to that state, by the policy.
review::v1::CaseAdvanced CaseEvent(const TestCase& c, review::v1::CaseState state,
                                   const Rulebook& rulebook);

// Registry and application as far as payment asks them.
class TestPeer : public rpc::Channel {
 public:
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* answer, const rpc::CallOptions& options) override;
  void Know(const TestCase& c);
  // Changes what registry says of a station from now on.
  void Change(const TestCase& c, std::function<void(rules::v1::StandingFacts&)> change);
  void SetDown(absl::Status status);

 private:
  absl::Mutex mutex_;
  std::map<std::string, rules::v1::StandingFacts> standings_;
  std::map<std::string, rules::v1::AccountFacts> accounts_;
  absl::Status down_;
};

// Payment's handlers over a database of their own, with the clocks in hand, the other services and
// a bank.
class TestPayment {
 public:
  explicit TestPayment(policy::Policies policies = policy::Policies::Builtin());

  Handlers& handlers() { return *handlers_; }
  TestHost& host() { return host_; }
  TestPeer& peer() { return peer_; }
  TestBank& bank() { return bank_; }
  Reconciliation& reconciliation() { return *reconciliation_; }
  journal::Journal& journal() { return *journal_; }

  // Another replica of the service over the same database, or through a proxy's port.
  struct Replica {
    TestHost::Replica host;
    std::unique_ptr<Handlers> handlers;
  };
  Replica NewReplica(int port = 0);
  // A sender as a process would make it; `journal` null: this one's.
  std::unique_ptr<Transfers> NewTransfers(journal::Journal* journal = nullptr);

  // Moves the wall and the monotonic clock forward.
  static void Pass(absl::Duration time);
  static absl::Time Wall();

  template <typename Object, typename Request, typename Answer>
  absl::Status Call(Object& object,
                    absl::Status (Object::*method)(Context&, const Request&, Answer*),
                    std::string_view name, std::string_view person, const Request& request,
                    Answer* answer) {
    Context context = host_.Person(Role::kPaymentOfficer, person);
    context.method = Concat({"yuezhan.payment.v1.PaymentService/", name});
    return (object.*method)(context, request, answer);
  }

  template <typename Object, typename Request, typename Answer>
  absl::Status Call(Object& object,
                    absl::Status (Object::*method)(const rpc::AskedList<Request, Answer>&),
                    std::string_view name, std::string_view person, const Request& request,
                    Answer* answer) {
    Context context = host_.Person(Role::kPaymentOfficer, person);
    context.method = Concat({"yuezhan.payment.v1.PaymentService/", name});
    return rpc::AskOne(object, method, context, request, answer);
  }

  // A fund of that year with so much in it; its name.
  std::string Fund(int64_t fen, int year = 2026);
  absl::StatusOr<v1::Fund> Allocate(const std::string& fund, int64_t fen);
  v1::Fund GetFund(const std::string& fund);
  v1::TrialBalance TrialBalance();
  v1::Award GetAward(const TestCase& c);
  v1::Payment GetPayment(const std::string& name);

  // The event of review that the case went to that state.
  review::v1::CaseAdvanced Event(const TestCase& c, review::v1::CaseState state) const;
  // Applies it as the follower does, in a transaction of its own.
  absl::Status Apply(const review::v1::CaseAdvanced& event);
  // Several in one transaction, as a batch of them is followed.
  absl::Status ApplyTogether(const std::vector<review::v1::CaseAdvanced>& events);
  // AWARDED and CLEARED.
  void Clear(const TestCase& c);

  absl::StatusOr<v1::Payment> Prepare(const TestCase& c, std::string_view by = "preparer");
  absl::StatusOr<v1::Payment> Authorize(const std::string& name,
                                        std::string_view by = "authorizer");
  absl::StatusOr<v1::Payment> Request(const std::string& name);
  absl::StatusOr<v1::Payment> Answer(const std::string& name, bool accepted = true);
  // The bank's statement of today, imported, and entered into the payments; `ids`: with the ids of
  // the transfers.
  absl::StatusOr<v1::Statement> Import(const std::string& content);
  absl::StatusOr<v1::Statement> ImportBank(bool ids = true);
  std::vector<v1::StatementLine> OpenLines();
  absl::Status Confirm(const v1::StatementLine& line, const std::string& payment,
                       std::string_view by = "bookkeeper");
  absl::StatusOr<v1::Payment> Resolve(const std::string& name, v1::IncidentOutcome outcome,
                                      std::string_view by = "bookkeeper");
  absl::StatusOr<v1::Payment> Stop(const std::string& name);
  absl::StatusOr<v1::Payment> Resend(const std::string& name,
                                     const rules::v1::AccountFacts* payee = nullptr);
  // A cleared case of its own, up to INSTRUCTED.
  v1::Payment Instructed(const TestCase& c);
  // Runs the sender until nothing is due, letting time pass between rounds.
  void Send(Transfers& transfers, int rounds = 12);

 private:
  TestHost host_;
  TestPeer peer_;
  TestBank bank_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Handlers> handlers_;
  std::unique_ptr<Reconciliation> reconciliation_;
  std::atomic<int64_t> seq_ = 0;
};

// The page of one payment, as the sender sees it; empty: it has nothing to do about it.
std::vector<OpenTransfer> PageOf(Transfers& transfers, std::string_view payment_name);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_TEST_PAYMENT_H_
