// Fills the stack's tables through the handlers: what the benchmark's calls are about.
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/pdf.h"
#include "tests/bench/world.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::bench {
namespace {

constexpr char kRegistry[] = "yuezhan.registry.v1.RegistryService/";
constexpr char kApplication[] = "yuezhan.application.v1.ApplicationService/";
constexpr char kPayment[] = "yuezhan.payment.v1.PaymentService/";
constexpr char kLineDigest[] = "ab";
constexpr int64_t kAmountFen = 10'000'000;

class Seeder {
 public:
  Seeder(InProcess& in, yz::Scenario scenario) : in_(in) {
    seeds_.scenario = std::move(scenario);
    template_ = &seeds_.scenario.stations.front();  // a national station that is awarded
  }

  absl::Status Prepare() {
    registry::v1::CreateHostUnitRequest unit;
    *unit.mutable_host_unit() = template_->host;
    YZ_ASSIGN_OR_RETURN(const auto host, Do<registry::v1::HostUnit>("filing", kRegistry,
                                                                    "CreateHostUnit", unit));
    seeds_.host = {"host-bench", "联系人乙", {Role::kHostUnit}, host.name()};
    payment::v1::CreateFundRequest create;
    *create.mutable_fund() = seeds_.scenario.fund;
    YZ_ASSIGN_OR_RETURN(const auto fund, Do<payment::v1::Fund>("bookkeeper", kPayment,
                                                               "CreateFund", create));
    payment::v1::AllocateFundRequest allocate;
    allocate.set_name(fund.name());
    *allocate.mutable_amount() = MoneyOf(kAmountFen * 1'000'000);
    allocate.set_reason("基准测试");
    return Do<payment::v1::Fund>("bookkeeper", kPayment, "AllocateFund", allocate).status();
  }

  // A filed and accepted station of a society of its own.
  absl::StatusOr<std::string> Station() {
    const std::string number = absl::StrCat(++count_);
    registry::v1::FileStationRequest file;
    *file.mutable_form() = template_->form;
    registry::v1::FilingForm& form = *file.mutable_form();
    form.set_host_unit(seeds_.host.host_unit);
    form.set_display_name(absl::StrCat(form.display_name(), number));
    const std::string society = absl::StrCat(form.society().name(), number);
    for (std::string& party : *form.mutable_agreement()->mutable_parties()) {
      if (party == form.society().name()) party = society;
    }
    form.mutable_society()->set_name(society);
    YZ_ASSIGN_OR_RETURN(const auto filed,
                        Do<registry::v1::Station>("host", kRegistry, "FileStation", file));
    registry::v1::AcceptFilingRequest accept;
    accept.set_name(filed.name());
    for (auto* judgement : {accept.mutable_demand_fit(), accept.mutable_industry_tie()}) {
      judgement->set_confirmed(true);
      judgement->set_reason("与产业需求一致");
    }
    YZ_RETURN_IF_ERROR(
        Do<registry::v1::Station>("filing", kRegistry, "AcceptFiling", accept).status());
    return filed.name();
  }

  // A draft application for it with all its materials.
  absl::StatusOr<std::string> Draft(const std::string& station) {
    application::v1::CreateApplicationRequest create;
    *create.mutable_form() = template_->application;
    create.mutable_form()->set_station(station);
    YZ_ASSIGN_OR_RETURN(const auto draft,
                        Do<application::v1::Application>("host", kApplication, "CreateApplication",
                                                         create));
    for (const char* code : {"application-form", "filing-form", "approval-reply"}) {
      const std::string pdf = yz::SmallPdf(code);
      application::v1::StartUploadRequest start;
      start.set_parent(draft.name());
      start.set_code(code);
      start.set_file_name(absl::StrCat(code, ".pdf"));
      start.set_size_bytes(static_cast<int64_t>(pdf.size()));
      YZ_ASSIGN_OR_RETURN(const auto upload, Do<application::v1::Upload>("host", kApplication,
                                                                         "StartUpload", start));
      application::v1::WriteChunkRequest chunk;
      chunk.set_upload(upload.name());
      chunk.set_data(pdf);
      YZ_RETURN_IF_ERROR(
          Do<application::v1::Upload>("host", kApplication, "WriteChunk", chunk).status());
      application::v1::FinishUploadRequest finish;
      finish.set_name(upload.name());
      finish.set_sha256(ToHex(Sha256(pdf)));
      YZ_RETURN_IF_ERROR(
          Do<application::v1::Material>("host", kApplication, "FinishUpload", finish).status());
    }
    return draft.name();
  }

  // A payment order for a submitted and cleared application, prepared by the first officer.
  absl::StatusOr<std::string> Order() {
    YZ_ASSIGN_OR_RETURN(const std::string station, Station());
    YZ_ASSIGN_OR_RETURN(const std::string draft, Draft(station));
    application::v1::SubmitApplicationRequest submit;
    submit.set_name(draft);
    YZ_RETURN_IF_ERROR(
        Do<application::v1::Application>("host", kApplication, "SubmitApplication", submit)
            .status());
    review::v1::CaseAdvanced event = Awarded(station, draft);
    YZ_RETURN_IF_ERROR(in_.Apply(event, ++sequence_));
    Clear(&event);
    YZ_RETURN_IF_ERROR(in_.Apply(event, ++sequence_));
    payment::v1::PreparePaymentRequest prepare;
    prepare.set_case_name(event.case_name());
    prepare.mutable_codes()->set_budget_year(event.subsidy_year());
    YZ_ASSIGN_OR_RETURN(const auto order, Do<payment::v1::Payment>("payment-officer", kPayment,
                                                                   "PreparePayment", prepare));
    return order.name();
  }

  Seeds& seeds() { return seeds_; }

 private:
  template <typename Answer, typename Request>
  absl::StatusOr<Answer> Do(const std::string& person, const char* service, const char* method,
                            Request request) {
    if (const auto* id = request.GetDescriptor()->FindFieldByName("request_id")) {
      request.GetReflection()->SetString(&request, id, NewUuid());
    }
    const Caller& caller = person == "host" ? seeds_.host : seeds_.scenario.persons.at(person);
    Answer answer;
    const absl::Status status = in_.Call(caller, absl::StrCat(service, method), request, &answer);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat(method, ": ", std::string(status.message())));
    }
    return answer;
  }

  review::v1::CaseAdvanced Awarded(const std::string& station, const std::string& application) {
    review::v1::CaseAdvanced event;
    event.set_case_name(Name("cases", NewUuid()));
    event.set_application(application);
    event.set_station(station);
    event.set_host_unit(seeds_.host.host_unit);
    event.set_state(review::v1::CASE_STATE_AWARDED);
    event.set_station_name(template_->form.display_name());
    event.set_host_name(template_->host.display_name());
    event.set_category(template_->form.level());
    event.set_subsidy_year(template_->application.subsidy_year());
    event.set_amount_fen(kAmountFen);
    event.set_line_digest(kLineDigest);
    event.set_submission(1);
    const auto act = [&event](const char* person, common::v1::Act kind) {
      rules::v1::ActFacts& done = *event.add_acts();
      done.set_person(person);
      done.set_act(kind);
      done.set_what("case");
    };
    act("reviewer-a", common::v1::ACT_PREPARE);
    act("reviewer-b", common::v1::ACT_APPROVE);
    act("director-a", common::v1::ACT_DECIDE);
    return event;
  }

  void Clear(review::v1::CaseAdvanced* event) {
    event->set_state(review::v1::CASE_STATE_CLEARED);
    rules::v1::PaymentFacts& clearance = *event->mutable_clearance();
    clearance.set_qualified(true);
    clearance.set_resolution(rules::v1::RESOLUTION_AWARD);
    clearance.set_resolved_amount_fen(kAmountFen);
    clearance.set_published_amount_fen(kAmountFen);
    clearance.set_published_line_digest(kLineDigest);
    clearance.mutable_period()->set_list_digest("list");
    const auto rules = in_.rulebook().At(BeijingMidnight(Day(2026, 9, 14)));
    for (const auto& site : rules->policy.notice().sites()) {
      auto* posting = clearance.mutable_period()->add_postings();
      posting->set_site(site.code());
      posting->set_list_digest("list");
      *posting->mutable_live_on() = DayToProto(Day(2026, 9, 1));
    }
    clearance.mutable_statement()->set_association_officer("reviewer-b");
    clearance.mutable_statement()->set_talent_office_officer("secretary-a");
    *clearance.mutable_statement()->mutable_made_on() = DayToProto(Day(2026, 9, 10));
  }

  InProcess& in_;
  Seeds seeds_;
  const yz::DemoStation* template_;
  std::atomic<int> count_ = 0;
  std::atomic<int64_t> sequence_ = 0;
};

}  // namespace

absl::StatusOr<Seeds> Seed(InProcess& in, int stations, int drafts, int orders, int threads) {
  YZ_ASSIGN_OR_RETURN(yz::Scenario scenario, yz::BuiltInScenario());
  Seeder seeder(in, std::move(scenario));
  YZ_RETURN_IF_ERROR(seeder.Prepare());
  Seeds& seeds = seeder.seeds();
  seeds.stations.resize(static_cast<size_t>(stations));
  seeds.drafts.resize(static_cast<size_t>(drafts));
  seeds.orders.resize(static_cast<size_t>(orders));
  const auto fill = [threads](std::vector<std::string>* names,
                              const std::function<absl::StatusOr<std::string>()>& make) {
    return InParallel(static_cast<int>(names->size()), threads, [&](int i) -> absl::Status {
      YZ_ASSIGN_OR_RETURN((*names)[static_cast<size_t>(i)], make());
      return absl::OkStatus();
    });
  };
  YZ_RETURN_IF_ERROR(fill(&seeds.stations, [&] { return seeder.Station(); }));
  YZ_RETURN_IF_ERROR(fill(&seeds.drafts, [&]() -> absl::StatusOr<std::string> {
    YZ_ASSIGN_OR_RETURN(const std::string station, seeder.Station());
    return seeder.Draft(station);
  }));
  YZ_RETURN_IF_ERROR(fill(&seeds.orders, [&] { return seeder.Order(); }));
  return std::move(seeds);
}

}  // namespace yuezhan::bench
