#include "services/payment/test_payment.h"

#include <atomic>

#include "absl/strings/str_format.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "services/payment/schema.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::payment {
namespace {

std::atomic<int64_t> passed_ms = 0;

absl::Time TestWall() { return WallNow() + absl::Milliseconds(passed_ms.load()); }
absl::Duration TestMonotonic() { return MonotonicNow() + absl::Milliseconds(passed_ms.load()); }

constexpr char kHostName[] = "湖南理工学院科协（演示）";

rules::v1::ActFacts Act(const char* person, common::v1::Act act, const char* what) {
  rules::v1::ActFacts facts;
  facts.set_person(person);
  facts.set_act(act);
  facts.set_what(what);
  return facts;
}

Clocks ClocksOf(TestHost& host) {
  Clocks clocks;
  clocks.business = std::shared_ptr<const BusinessClock>(std::shared_ptr<void>(), &host.clock());
  clocks.wall = &TestWall;
  clocks.monotonic = &TestMonotonic;
  return clocks;
}

}  // namespace

TestCase::TestCase()
    : case_name(Name("cases", NewUuid())),
      application(Name("applications", NewUuid())),
      station(Name("stations", NewUuid())),
      host_unit(Name("hostUnits", NewUuid())),
      line_digest(ToHex(Sha256(case_name))) {
  static std::atomic<int> count = 0;
  account.set_holder(kHostName);
  account.set_bank("示例银行岳阳分行");
  account.set_number(absl::StrFormat("1907010109200%06d", ++count));
}

absl::Status TestPeer::Call(std::string_view method, const google::protobuf::Message& request,
                            google::protobuf::Message* answer, const rpc::CallOptions&) {
  absl::MutexLock lock(&mutex_);
  if (!down_.ok()) return down_;
  if (method == "yuezhan.registry.v1.RegistryService/GetStanding") {
    const auto& of = dynamic_cast<const registry::v1::GetStandingRequest&>(request);
    dynamic_cast<rules::v1::StandingFacts&>(*answer) = standings_.at(of.station());
    return absl::OkStatus();
  }
  if (method == "yuezhan.registry.v1.RegistryService/BatchGetStandings") {
    for (const std::string& station :
         dynamic_cast<const registry::v1::BatchGetStandingsRequest&>(request).stations()) {
      *dynamic_cast<registry::v1::BatchGetStandingsResponse&>(*answer).add_standings() =
          standings_.at(station);
    }
    return absl::OkStatus();
  }
  for (const auto& of :
       dynamic_cast<const application::v1::BatchGetSubmissionsRequest&>(request).requests()) {
    auto& submission =
        *dynamic_cast<application::v1::BatchGetSubmissionsResponse&>(*answer).add_submissions();
    submission.set_application(of.application());
    submission.set_number(of.number());
    *submission.mutable_facts()->mutable_form()->mutable_account() = accounts_.at(of.application());
    *submission.mutable_submit_time() = ToProto(BeijingMidnight(Day(2026, 6, 3)) + absl::Hours(9));
  }
  return absl::OkStatus();
}

void TestPeer::Know(const TestCase& c) {
  absl::MutexLock lock(&mutex_);
  accounts_[c.application] = c.account;
  rules::v1::StandingFacts& standing = standings_[c.station];
  standing.mutable_station()->set_station(c.station);
  standing.mutable_station()->set_level(common::v1::STATION_LEVEL_PROVINCIAL);
  standing.mutable_station()->set_filed(true);
  standing.mutable_station()->set_host_unit(c.host_unit);
  *standing.mutable_station()->mutable_established_on() = DayToProto(Day(2023, 5, 10));
  standing.mutable_host()->set_host_unit(c.host_unit);
  standing.mutable_host()->set_display_name(kHostName);
  *standing.mutable_host()->mutable_account() = c.account;
}

void TestPeer::Change(const TestCase& c, std::function<void(rules::v1::StandingFacts&)> change) {
  absl::MutexLock lock(&mutex_);
  change(standings_.at(c.station));
}

void TestPeer::SetDown(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  down_ = std::move(status);
}

TestPayment::TestPayment(policy::Policies policies)
    : host_("payment", Schema(), BeijingMidnight(Day(2026, 9, 15)) + absl::Hours(9),
            std::move(policies)),
      bank_(&TestWall),
      journal_(std::make_unique<journal::Journal>(host_.database().pool(), host_.vault(),
                                                  ClocksOf(host_), "payment")),
      handlers_(std::make_unique<Handlers>(*journal_, host_.vault(), host_.rulebook(),
                                           Peers{peer_, peer_, bank_})),
      reconciliation_(
          std::make_unique<Reconciliation>(*journal_, host_.vault(), host_.rulebook())) {}

TestPayment::Replica TestPayment::NewReplica(int port) {
  Replica replica;
  replica.host.pool = host_.database().NewPool(8, port);
  replica.host.journal = std::make_unique<journal::Journal>(*replica.host.pool, host_.vault(),
                                                            ClocksOf(host_), "payment");
  replica.handlers = std::make_unique<Handlers>(*replica.host.journal, host_.vault(),
                                                host_.rulebook(), Peers{peer_, peer_, bank_});
  return replica;
}

std::unique_ptr<Transfers> TestPayment::NewTransfers(journal::Journal* journal) {
  return std::make_unique<Transfers>(journal == nullptr ? *journal_ : *journal, host_.vault(),
                                     bank_);
}

void TestPayment::Pass(absl::Duration time) { passed_ms += absl::ToInt64Milliseconds(time); }
absl::Time TestPayment::Wall() { return TestWall(); }

std::string TestPayment::Fund(int64_t fen, int year) {
  v1::CreateFundRequest request;
  request.set_request_id(NewUuid());
  request.mutable_fund()->set_year(year);
  request.mutable_fund()->set_source(Concat({"市人才发展专项资金", request.request_id()}));
  v1::Fund fund;
  const absl::Status status =
      Call(handlers(), &Handlers::CreateFund, "CreateFund", "bookkeeper", request, &fund);
  EXPECT_TRUE(status.ok()) << status;
  if (fen > 0) {
    EXPECT_TRUE(Allocate(fund.name(), fen).ok());
  }
  return fund.name();
}

absl::StatusOr<v1::Fund> TestPayment::Allocate(const std::string& fund, int64_t fen) {
  v1::AllocateFundRequest request;
  request.set_request_id(NewUuid());
  request.set_name(fund);
  *request.mutable_amount() = MoneyOf(fen);
  request.set_reason("市财政下达");
  v1::Fund answer;
  const absl::Status status =
      Call(handlers(), &Handlers::AllocateFund, "AllocateFund", "bookkeeper", request, &answer);
  if (!status.ok()) return status;
  return answer;
}

v1::Fund TestPayment::GetFund(const std::string& fund) {
  v1::GetFundRequest request;
  request.set_name(fund);
  v1::Fund answer;
  EXPECT_TRUE(Call(handlers(), &Handlers::GetFund, "GetFund", "bookkeeper", request, &answer).ok());
  return answer;
}

v1::TrialBalance TestPayment::TrialBalance() {
  v1::TrialBalance answer;
  EXPECT_TRUE(Call(handlers(), &Handlers::GetTrialBalance, "GetTrialBalance", "bookkeeper",
                   v1::GetTrialBalanceRequest(), &answer)
                  .ok());
  return answer;
}

v1::Award TestPayment::GetAward(const TestCase& c) {
  v1::GetAwardRequest request;
  request.set_case_name(c.case_name);
  v1::Award answer;
  const absl::Status status =
      Call(handlers(), &Handlers::GetAward, "GetAward", "bookkeeper", request, &answer);
  EXPECT_TRUE(status.ok()) << status;
  return answer;
}

v1::Payment TestPayment::GetPayment(const std::string& name) {
  v1::GetPaymentRequest request;
  request.set_name(name);
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::GetPayment, "GetPayment", "bookkeeper", request, &answer);
  EXPECT_TRUE(status.ok()) << status;
  return answer;
}

review::v1::CaseAdvanced TestPayment::Event(const TestCase& c, review::v1::CaseState state) const {
  return CaseEvent(c, state, host_.rulebook());
}

review::v1::CaseAdvanced CaseEvent(const TestCase& c, review::v1::CaseState state,
                                   const Rulebook& rulebook) {
  review::v1::CaseAdvanced event;
  event.set_case_name(c.case_name);
  event.set_application(c.application);
  event.set_station(c.station);
  event.set_host_unit(c.host_unit);
  event.set_state(state);
  event.set_station_name("演示服务站");
  event.set_host_name(kHostName);
  event.set_category(common::v1::STATION_LEVEL_PROVINCIAL);
  event.set_subsidy_year(c.year);
  event.set_amount_fen(c.amount_fen);
  event.set_line_digest(c.line_digest);
  event.set_submission(1);
  *event.add_acts() = Act("reviewer-a", common::v1::ACT_PREPARE, "opinion");
  *event.add_acts() = Act("reviewer-b", common::v1::ACT_APPROVE, "opinion");
  *event.add_acts() = Act("director-a", common::v1::ACT_DECIDE, "meeting");
  if (state != review::v1::CASE_STATE_CLEARED) return event;
  rules::v1::PaymentFacts& clearance = *event.mutable_clearance();
  clearance.set_qualified(true);
  clearance.set_resolution(rules::v1::RESOLUTION_AWARD);
  clearance.set_resolved_amount_fen(c.amount_fen);
  clearance.set_published_amount_fen(c.amount_fen);
  clearance.set_published_line_digest(c.line_digest);
  clearance.mutable_period()->set_list_digest("list");
  const auto policy = rulebook.At(BeijingMidnight(Day(2026, 9, 15)));
  for (const auto& site : policy->policy.notice().sites()) {
    auto* posting = clearance.mutable_period()->add_postings();
    posting->set_site(site.code());
    posting->set_list_digest("list");
    *posting->mutable_live_on() = DayToProto(Day(2026, 9, 1));
  }
  clearance.mutable_statement()->set_association_officer("reviewer-b");
  clearance.mutable_statement()->set_talent_office_officer("secretary-a");
  *clearance.mutable_statement()->mutable_made_on() = DayToProto(Day(2026, 9, 10));
  return event;
}

void ExpectRefused(const absl::Status& status, const std::string& rule) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << rule << ": " << status;
  EXPECT_EQ(errors::Reason(status), "REFUSED") << rule;
  EXPECT_THAT(errors::Details(status).SerializeAsString(), testing::HasSubstr(rule));
}

absl::Status TestPayment::Apply(const review::v1::CaseAdvanced& event) {
  return ApplyTogether({event});
}

absl::Status TestPayment::ApplyTogether(const std::vector<review::v1::CaseAdvanced>& events) {
  const auto on_review = handlers().OnReview();
  const int64_t first_seq = seq_.fetch_add(static_cast<int64_t>(events.size())) + 1;
  return journal().WriteInternal("test/follow", NewUuid(), WallNow() + absl::Seconds(30),
                                 [&](journal::Unit& unit) -> absl::Status {
                                   journal::EventOrigin origin;
                                   origin.seq = first_seq;
                                   for (const auto& event : events) {
                                     YZ_RETURN_IF_ERROR(on_review.Apply(event, unit, origin));
                                     ++origin.seq;
                                   }
                                   return absl::OkStatus();
                                 });
}

void TestPayment::Clear(const TestCase& c) {
  peer_.Know(c);
  for (const auto state : {review::v1::CASE_STATE_AWARDED, review::v1::CASE_STATE_CLEARED}) {
    const absl::Status status = Apply(Event(c, state));
    EXPECT_TRUE(status.ok()) << status;
  }
}

absl::StatusOr<v1::Payment> TestPayment::Prepare(const TestCase& c, std::string_view by) {
  v1::PreparePaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_case_name(c.case_name);
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::PreparePayment, "PreparePayment", by, request, &answer);
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<v1::Payment> TestPayment::Authorize(const std::string& name, std::string_view by) {
  v1::AuthorizePaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::AuthorizePayment, "AuthorizePayment", by, request, &answer);
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<v1::Payment> TestPayment::Request(const std::string& name) {
  v1::RequestFinanceRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::RequestFinance, "RequestFinance", "preparer", request, &answer);
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<v1::Payment> TestPayment::Answer(const std::string& name, bool accepted) {
  v1::RecordFinanceAnswerRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  request.set_accepted(accepted);
  if (!accepted) request.set_reason("预算科目有误");
  v1::Payment answer;
  const absl::Status status = Call(handlers(), &Handlers::RecordFinanceAnswer,
                                   "RecordFinanceAnswer", "preparer", request, &answer);
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<v1::Payment> TestPayment::Stop(const std::string& name) {
  v1::StopPaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  request.set_reason("暂缓拨付");
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::StopPayment, "StopPayment", "authorizer", request, &answer);
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<v1::Payment> TestPayment::Resend(const std::string& name,
                                                const rules::v1::AccountFacts* payee) {
  v1::ResendPaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  if (payee != nullptr) *request.mutable_payee() = *payee;
  request.set_reason("已与建站单位核实");
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::ResendPayment, "ResendPayment", "authorizer", request, &answer);
  if (!status.ok()) return status;
  return answer;
}

v1::Payment TestPayment::Instructed(const TestCase& c) {
  Clear(c);
  auto payment = Prepare(c);
  EXPECT_TRUE(payment.ok()) << payment.status();
  if (!payment.ok()) return {};
  const std::string name = payment->name();
  payment = Authorize(name);
  EXPECT_TRUE(payment.ok()) << payment.status();
  payment = Request(name);
  EXPECT_TRUE(payment.ok()) << payment.status();
  payment = Answer(name);
  EXPECT_TRUE(payment.ok()) << payment.status();
  return payment.value_or(v1::Payment());
}

absl::StatusOr<v1::Statement> TestPayment::Import(const std::string& content) {
  v1::ImportStatementRequest request;
  request.set_request_id(NewUuid());
  request.set_format(v1::STATEMENT_FORMAT_CSV);
  request.set_content(content);
  *request.mutable_from() = DayToProto(host_.today() - 30);
  *request.mutable_to() = DayToProto(host_.today());
  v1::Statement answer;
  const absl::Status status = Call(reconciliation(), &Reconciliation::ImportStatement,
                                   "ImportStatement", "bookkeeper", request, &answer);
  if (!status.ok()) return status;
  const auto entered = reconciliation().EnterStep();
  EXPECT_TRUE(entered.ok()) << entered.status();
  return answer;
}

absl::StatusOr<v1::Statement> TestPayment::ImportBank(bool ids) {
  return Import(bank_.Statement(host_.today(), ids));
}

std::vector<v1::StatementLine> TestPayment::OpenLines() {
  v1::ListStatementLinesResponse answer;
  const absl::Status status =
      Call(reconciliation(), &Reconciliation::ListStatementLines, "ListStatementLines",
           "bookkeeper", v1::ListStatementLinesRequest(), &answer);
  EXPECT_TRUE(status.ok()) << status;
  return {answer.lines().begin(), answer.lines().end()};
}

absl::Status TestPayment::Confirm(const v1::StatementLine& line, const std::string& payment,
                                  std::string_view by) {
  v1::ConfirmMatchRequest request;
  request.set_request_id(NewUuid());
  request.set_name(line.name());
  request.set_payment(payment);
  request.set_reason("已与银行回单核对");
  v1::StatementLine answer;
  const absl::Status status = Call(reconciliation(), &Reconciliation::ConfirmMatch,
                                   "ConfirmMatch", by, request, &answer);
  if (!status.ok()) return status;
  return reconciliation().EnterStep().status();
}

absl::StatusOr<v1::Payment> TestPayment::Resolve(const std::string& name,
                                                 v1::IncidentOutcome outcome,
                                                 std::string_view by) {
  v1::ResolveIncidentRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  request.set_outcome(outcome);
  request.set_reason("已与银行对账单核对");
  v1::Payment answer;
  const absl::Status status =
      Call(handlers(), &Handlers::ResolveIncident, "ResolveIncident", by, request, &answer);
  if (!status.ok()) return status;
  return answer;
}

void TestPayment::Send(Transfers& transfers, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    for (;;) {
      const auto wait = transfers.Step();
      ASSERT_TRUE(wait.ok()) << wait.status();
      if (*wait > absl::ZeroDuration()) break;
    }
    Pass(absl::Seconds(3));
  }
}

std::vector<OpenTransfer> PageOf(Transfers& transfers, std::string_view payment_name) {
  for (int i = 0; i < 10; ++i) {
    const auto page = transfers.Next();
    EXPECT_TRUE(page.ok()) << page.status();
    for (const OpenTransfer& open : *page) {
      if (Name("payments", open.payment) == payment_name) return {open};
    }
  }
  return {};
}

}  // namespace yuezhan::payment
