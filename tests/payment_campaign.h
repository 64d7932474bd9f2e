// The officers of a campaign: whatever state an award or a payment is in, they do the next thing.
#ifndef YUEZHAN_TESTS_PAYMENT_CAMPAIGN_H_
#define YUEZHAN_TESTS_PAYMENT_CAMPAIGN_H_

#include <map>
#include <string>
#include <vector>

#include "tests/payment_world.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"

namespace yuezhan::tests {

class Officers {
 public:
  explicit Officers(PaymentWorld& world) : world_(world) {}

  // A fund of the year with so much in it; its name.
  std::string Fund(int64_t fen);
  void Allocate(const std::string& fund, int64_t fen);
  payment::v1::Fund GetFund(const std::string& fund);

  // Does once what every award and payment needs next. How many payments are settled.
  int Round();
  // Imports the bank's statement, and lifts the incidents that it explains.
  void Reconcile();
  // After a restore: statements, forgotten payments made anew and confirmed, until the hold ends; a
  // failure when it has not by `end`.
  void EndHold(absl::Time end);
  // Whether the bank's own word on every payment's transfer is SETTLED, as ours is; asking makes it
  // do what it had still in mind.
  bool AgreesWithTheBank(int payments);

  std::vector<payment::v1::Payment> Payments(payment::v1::PaymentAttention attention = {});
  int incidents() const { return incidents_; }
  int resent() const { return resent_; }

 private:
  std::vector<payment::v1::Award> Cleared();
  void PrepareAll(const std::vector<payment::v1::Award>& cleared);
  void Next(const payment::v1::Payment& payment);
  void ImportStatement();
  void ConfirmOpenLines();
  // The same act has the same id, however often it is tried.
  template <typename Request>
  absl::Status Do(const std::string& subject, Role role, std::string_view method, Request request,
                  google::protobuf::Message* answer);

  PaymentWorld& world_;
  int incidents_ = 0;
  int resent_ = 0;
};

}  // namespace yuezhan::tests

#endif  // YUEZHAN_TESTS_PAYMENT_CAMPAIGN_H_
