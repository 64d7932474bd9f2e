// What payment prints: the letter to the finance bureau with its list of payees, and the notice of
// payment to the host.
#include "common/documents/documents.h"

#include <set>

#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "common/rules/amount_words.h"
#include "common/rules/payment.h"
#include "services/payment/acts.h"
#include "services/payment/handlers.h"
#include "yuezhan/common/v1/document.pb.h"

namespace yuezhan::embedded {
extern const char kFinanceLetterHtml[];
extern const char kPaymentNoticeHtml[];
}  // namespace yuezhan::embedded

namespace yuezhan::payment {
namespace {

using documents::Values;

const documents::Template kFinanceLetter{"finance-letter", "拨款函", embedded::kFinanceLetterHtml};
const documents::Template kPaymentNotice{"payment-notice", "拨款通知",
                                         embedded::kPaymentNoticeHtml};

// What both print: the offices, the regulation, the day.
Values Common(const Rules& rules, const v1::PrintDocumentRequest& request) {
  const auto& offices = rules.policy.offices();
  Values values;
  values.Text("letter_number", request.number().empty() ? "〔　　　〕　　号" : request.number())
      .Text("document_title_zh", rules.policy.document().title_zh())
      .Text("document_number_zh", rules.policy.document().number())
      .Text("association", offices.association_short_zh())
      .Text("talent_office", offices.talent_office_short_zh())
      .Text("talent_office_full", offices.talent_office_zh())
      .Text("fund", offices.fund_zh())
      .Text("today", FormatDayZh(rules.today));
  return values;
}

// The coded fields that are filled, in one line.
std::string CodesLine(const v1::BudgetCodes& codes) {
  std::string line;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    if (!line.empty()) line += "　";
    line += Concat({name, "：", value});
  };
  add("预算年度", codes.budget_year() > 0 ? std::to_string(codes.budget_year()) : "");
  add("指标文号", codes.quota_document());
  add("项目编码", codes.project_code());
  add("功能分类科目", codes.functional_subject());
  add("经济分类科目", codes.economic_subject());
  add("支付申请号", codes.payment_application());
  add("支付凭证号", codes.payment_voucher());
  return line;
}

absl::Status PrintLetter(const Rules& rules, const v1::PrintDocumentRequest& request,
                         const std::vector<v1::PaymentRecord>& records,
                         common::v1::PrintedDocument* answer) {
  int64_t total = 0;
  std::set<std::string> prepared_by, authorized_by;
  std::vector<Values> rows;
  for (const auto& record : records) {
    const v1::Payment& payment = record.payment();
    if (payment.authorized_by().empty() || payment.state() == v1::PAYMENT_STATE_STOPPED) {
      return Refuse("payment.two-officers", "拨付尚未经审批或已停止，不能列入拨款函。",
                    "The order is not authorized, or stopped.", payment.name());
    }
    const int64_t fen = FenIn(payment.amount());
    total += fen;
    prepared_by.insert(payment.prepared_by());
    authorized_by.insert(payment.authorized_by());
    const std::string codes = CodesLine(payment.codes());
    Values& row = rows.emplace_back();
    row.Text("no", std::to_string(rows.size()))
        .Text("station", record.station_name())
        .Text("holder", payment.payee().holder())
        .Text("bank", payment.payee().bank())
        .Text("account", payment.payee().number())
        .Text("amount", FormatYuan(fen))
        .Text("codes", codes)
        .Flag("has_codes", !codes.empty());
  }
  Values values = Common(rules, request);
  values.Text("finance_bureau", rules.policy.offices().city_zh() + "财政局")
      .Text("count", std::to_string(records.size()))
      .Text("total", FormatYuan(total))
      .Text("total_words", rules::AmountWords(total))
      .Text("prepared_by", absl::StrJoin(prepared_by, "、"))
      .Text("authorized_by", absl::StrJoin(authorized_by, "、"))
      .List("rows", std::move(rows));
  return documents::Print(kFinanceLetter, request.number(), values, answer);
}

absl::Status PrintNotice(const Rules& rules, const v1::PrintDocumentRequest& request,
                         const v1::PaymentRecord& record, const std::string& host_name,
                         common::v1::PrintedDocument* answer) {
  const v1::Payment& payment = record.payment();
  const auto settled = DayFromProto(payment.settled_on());
  if (payment.state() != v1::PAYMENT_STATE_SETTLED || !settled) {
    return Refuse("payment.settled", "资金尚未到账，不能出具拨款通知。",
                  "The payee does not have the money yet.", payment.name());
  }
  const int64_t fen = FenIn(payment.amount());
  Values values = Common(rules, request);
  values.Text("host", host_name)
      .Text("station", record.station_name())
      .Text("amount", FormatYuan(fen))
      .Text("amount_words", rules::AmountWords(fen))
      .Text("settled_on", FormatDayZh(*settled))
      .Text("holder", payment.payee().holder())
      .Text("bank_reference", payment.bank_reference())
      .Text("receipt_due", FormatDayZh(rules::ReceiptDueOn(rules.policy, *settled)))
      .Text("report_due", FormatDayZh(rules::UseReportDueOn(rules.policy, *settled)));
  return documents::Print(kPaymentNotice, request.number(), values, answer);
}

}  // namespace

absl::Status Handlers::PrintDocument(Context& context, const v1::PrintDocumentRequest& request,
                                     common::v1::PrintedDocument* answer) {
  const bool letter = request.kind() == v1::DOCUMENT_KIND_FINANCE_LETTER;
  // It shows the accounts of all.
  if (letter && !SeesAllHosts(context.caller)) return errors::PermissionDenied(context.method);
  if (!letter && request.names_size() != 1)
    return errors::InvalidField("names", "拨款通知一次一笔", "must be one payment for a notice");
  std::vector<v1::PaymentRecord> records;
  for (const std::string& name : request.names()) {
    YZ_ASSIGN_OR_RETURN(auto record, SeenPayment(context, name));
    records.push_back(std::move(record));
  }
  YZ_ASSIGN_OR_RETURN(const Rules rules,
                      RulesOf(rulebook_, records[0], journal_.clocks().business->Now()));
  if (letter) return PrintLetter(rules, request, records, answer);
  std::string host_name;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(const std::string id,
                            IdOf("cases/*", records[0].payment().case_name()));
        YZ_ASSIGN_OR_RETURN(const auto award, store_.Award(sql, id, false));
        if (award) host_name = award->award().host_name();
        return absl::OkStatus();
      }));
  return PrintNotice(rules, request, records[0], host_name, answer);
}

}  // namespace yuezhan::payment
