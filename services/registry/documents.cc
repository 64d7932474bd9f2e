#include "common/documents/documents.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/policy/policy.h"
#include "services/registry/handlers.h"
#include "services/registry/transitions.h"

namespace yuezhan::embedded {
extern const char kFilingFormHtml[];
extern const char kFilingReceiptHtml[];
extern const char kFilingCorrectionHtml[];
}  // namespace yuezhan::embedded

namespace yuezhan::registry {
namespace {

using documents::Template;
using documents::Values;

constexpr Template kFilingForm{"filing-form", "学会服务站备案登记表", embedded::kFilingFormHtml};
constexpr Template kFilingReceipt{"filing-receipt", "备案回执", embedded::kFilingReceiptHtml};
constexpr Template kCorrectionNotice{"filing-correction-notice", "补正告知书",
                                     embedded::kFilingCorrectionHtml};

// "BAB-0123456789AB": kind, and the last, random part of the station's id. A form has its number
// before it is filed under one.
std::string Number(std::string_view kind, const v1::Station& station) {
  const std::string& name = station.name();
  return absl::StrCat(Abs(kind), "-", absl::AsciiStrToUpper(name.substr(name.size() - 12)));
}

std::string DayOf(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  return day ? FormatDayZh(*day) : "";
}

bool Has(const v1::FilingForm& form, const std::string& chain) {
  const auto& ticked = form.industry_chains();
  return std::find(ticked.begin(), ticked.end(), chain) != ticked.end();
}

absl::Status PrintForm(const policy::v1::Policy& policy, const v1::Station& station,
                       decltype(&documents::Print) print, common::v1::PrintedDocument* answer) {
  const v1::FilingForm& form = station.form();
  const auto* level = policy::FindLevel(policy, form.level());
  if (level == nullptr || !level->printed_as_annex_2()) {
    return errors::InvalidField("kind", "附件2只有国家级、省级两栏，市级备案为内部记录，不打印该表",
                                "the form does not know this level: the filing is an internal "
                                "record and is not printed as Annex 2");
  }
  std::vector<Values> chains;
  for (const auto& chain : policy.industry().chains()) {
    chains.push_back(Values()
                         .Text("name", chain.name_zh())
                         .Text("box", documents::Box(Has(form, chain.code()))));
  }
  return print(kFilingForm, Number("BAB", station),
               Values()
                   .Text("station_name", form.display_name())
                   .Text("level", level->name_zh())
                   .Text("principal", form.principal().name())
                   .Text("principal_position", form.principal().position())
                   .Text("principal_mobile", form.principal().mobile())
                   .Text("address", form.office_address())
                   .Text("postcode", form.postcode())
                   .Text("contact", form.contact().name())
                   .Text("contact_position", form.contact().position())
                   .Text("contact_mobile", form.contact().mobile())
                   .Text("established_on", DayOf(form.established_on()))
                   .Text("email", form.email())
                   .List("chains", std::move(chains))
                   .Text("society", form.society().name())
                   .Paragraphs("purpose", form.purpose())
                   .Paragraphs("main_work", form.main_work()),
               answer);
}

// What both letters say.
Values Letter(const policy::v1::Policy& policy, const v1::Station& station,
              const v1::HostUnit& host) {
  return Values()
      .Text("host_name", host.display_name())
      .Text("station_name", station.form().display_name())
      .Text("regulation", policy.document().title_zh())
      .Text("regulation_number", policy.document().number())
      .Text("association", policy.offices().association_zh());
}

absl::Status PrintReceipt(const policy::v1::Policy& policy, const v1::Station& station,
                          const v1::HostUnit& host, decltype(&documents::Print) print,
                          common::v1::PrintedDocument* answer) {
  if (!station.has_accepted_on()) {
    return errors::StateForbids(station.name(), StationTransitions().StateName(station.state()),
                                {"OPERATING"}, "AcceptFiling");
  }
  const v1::FilingForm& form = station.form();
  std::vector<Values> chains;
  for (const auto& chain : policy.industry().chains()) {
    if (!Has(form, chain.code())) continue;
    chains.push_back(Values()
                         .Text("separator", chains.empty() ? "" : "、")
                         .Text("name", chain.name_zh()));
  }
  std::vector<Values> exceptions;
  for (const auto& exception : station.exceptions()) {
    std::string text = exception.rule_id();
    for (const auto& finding : station.findings()) {
      if (finding.rule_id() == exception.rule_id()) text = finding.text_zh();
    }
    exceptions.push_back(Values().Text("text", text).Text("reason", exception.reason()));
  }
  const auto* level = policy::FindLevel(policy, form.level());
  const std::string accepted_on = DayOf(station.accepted_on());
  return print(kFilingReceipt, station.filing_number(),
               Letter(policy, station, host)
                   .Text("number", station.filing_number())
                   .Text("accepted_on", accepted_on)
                   .Text("level", level == nullptr ? "" : level->name_zh())
                   .Text("society", form.society().name())
                   .Text("established_on", DayOf(form.established_on()))
                   .List("chains", std::move(chains))
                   .List("exceptions", std::move(exceptions))
                   .Text("date", accepted_on),
               answer);
}

absl::Status PrintCorrectionNotice(const policy::v1::Policy& policy, const v1::Station& station,
                                   const v1::HostUnit& host, decltype(&documents::Print) print,
                                   common::v1::PrintedDocument* answer) {
  if (station.state() != v1::STATION_STATE_RETURNED) {
    return errors::StateForbids(station.name(), StationTransitions().StateName(station.state()),
                                {"RETURNED"}, "ReturnFiling");
  }
  std::vector<Values> points;
  for (const std::string& point : station.points()) {
    points.push_back(
        Values().Text("number", std::to_string(points.size() + 1)).Text("text", point));
  }
  const std::string number = Number("BZ", station);
  return print(kCorrectionNotice, number,
               Letter(policy, station, host)
                   .Text("document", number)
                   .List("points", std::move(points))
                   .Text("date", FormatDayZh(BeijingDay(FromProto(station.state_time())))),
               answer);
}

}  // namespace

absl::Status Handlers::PrintDocument(Context& context, const v1::PrintDocumentRequest& request,
                                     common::v1::PrintedDocument* answer) {
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const auto station, store_.Station(sql, id, Store::Reading::kWhole));
    if (!station || !MaySee(context.caller, station->form().host_unit()))
      return errors::NotFound(request.name());
    const auto print = request.without_content() ? &documents::Stamp : &documents::Print;
    if (request.kind() == v1::DOCUMENT_KIND_FILING_FORM) {
      return PrintForm(rules.policy, *station, print, answer);
    }
    YZ_ASSIGN_OR_RETURN(const auto host, HostOf(sql, station->form(), "form.host_unit"));
    switch (request.kind()) {
      case v1::DOCUMENT_KIND_FILING_RECEIPT:
        return PrintReceipt(rules.policy, *station, host, print, answer);
      case v1::DOCUMENT_KIND_CORRECTION_NOTICE:
        return PrintCorrectionNotice(rules.policy, *station, host, print, answer);
      default:
        return errors::InvalidField("kind", "没有这种文书", "there is no such document");
    }
  });
}

}  // namespace yuezhan::registry
