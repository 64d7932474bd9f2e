#include "services/payment/advance.h"

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "services/payment/transitions.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {

absl::Status AdvanceAward(const Store& store, journal::Unit& unit, std::string_view method,
                          v1::AwardState to, v1::AwardRecord* record) {
  v1::Award& award = *record->mutable_award();
  const v1::AwardState from = award.state();
  YZ_RETURN_IF_ERROR(AwardTransitions().Check(award.case_name(), from, to, method));
  award.set_state(to);
  if (record->version() == 0) {
    store.InsertAward(unit.sql(), record);
  } else {
    store.UpdateAward(unit.sql(), record);
  }
  v1::AwardAdvanced event;
  event.set_case_name(award.case_name());
  event.set_from(from);
  event.set_state(to);
  event.set_amount_fen(FenIn(award.amount()));
  event.set_line_digest(award.line_digest());
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status AdvancePayment(const Store& store, journal::Unit& unit, std::string_view method,
                            v1::PaymentState to, v1::PaymentRecord* record) {
  v1::Payment& payment = *record->mutable_payment();
  const v1::PaymentState from = payment.state();
  YZ_RETURN_IF_ERROR(PaymentTransitions().Check(payment.name(), from, to, method));
  if (to != from) {
    payment.set_state(to);
    *payment.mutable_state_time() = ToProto(unit.Now());
  }
  store.UpdatePayment(unit.sql(), record);
  if (to != from) EmitAdvanced(unit, from, *record);
  return absl::OkStatus();
}

void EmitAdvanced(journal::Unit& unit, v1::PaymentState from, const v1::PaymentRecord& record) {
  const v1::Payment& payment = record.payment();
  v1::PaymentAdvanced event;
  event.set_payment(payment.name());
  event.set_from(from);
  event.set_state(payment.state());
  event.set_case_name(payment.case_name());
  event.set_application(payment.application());
  event.set_station(payment.station());
  event.set_amount_fen(FenIn(payment.amount()));
  event.set_level(record.level());
  if (payment.state() == v1::PAYMENT_STATE_SETTLED) {
    *event.mutable_settled_on() = payment.settled_on();
    event.set_bank_reference(payment.bank_reference());
  }
  unit.Emit(event);
}

absl::StatusOr<std::optional<LockedOrder>> LockOrder(const Store& store, db::Session& sql,
                                                     std::string_view payment_id) {
  YZ_ASSIGN_OR_RETURN(auto award, store.LockAwardOf(sql, payment_id));
  YZ_ASSIGN_OR_RETURN(auto payment, store.Payment(sql, payment_id, true));
  if (!payment) return std::nullopt;
  if (!award) return errors::DataLoss(payment->payment().case_name());
  return LockedOrder{*std::move(award), *std::move(payment)};
}

absl::Status Refuse(std::string_view rule_id, std::string_view zh, std::string_view en,
                    std::string_view subject) {
  common::v1::Finding finding;
  finding.set_rule_id(std::string(rule_id));
  finding.set_article("5.4");
  finding.set_outcome(common::v1::OUTCOME_VIOLATED);
  finding.set_text_zh(std::string(zh));
  finding.set_text_en(std::string(en));
  return errors::Refused({finding}, subject);
}

absl::Status MoveMoney(journal::Unit& unit, Movement movement, const v1::Award& award,
                       std::string_view payment_name) {
  Posting posting{movement, "", FenIn(award.amount()), "", ""};
  YZ_ASSIGN_OR_RETURN(posting.fund, IdOf("funds/*", award.fund()));
  YZ_ASSIGN_OR_RETURN(posting.award, IdOf("cases/*", award.case_name()));
  if (!payment_name.empty()) {
    YZ_ASSIGN_OR_RETURN(posting.payment, IdOf("payments/*", payment_name));
  }
  PostLast(unit, posting);
  return absl::OkStatus();
}

}  // namespace yuezhan::payment
