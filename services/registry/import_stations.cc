#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "common/rules/filing.h"
#include "services/registry/handlers.h"
#include "services/registry/import.h"

namespace yuezhan::registry {
namespace {

// The column that a rule looks at, for the report.
std::string_view ColumnOf(std::string_view rule) {
  constexpr std::pair<std::string_view, std::string_view> kColumns[] = {
      {"filing.level", "级别"},
      {"filing.host-kind", "建站单位类型"},
      {"filing.contract-party", "签约方"},
      {"filing.society-rank", "学会级别"},
      {"filing.industry-chain", "服务产业链业务领域"},
      {"filing.demand-fit", "专业对口理由"},
      {"filing.industry-tie", "产业紧密相连理由"},
      {"filing.working-conditions", "工作条件证明"},
      {"filing.funding-guarantee", "经费保障证明"},
      {"filing.management-rules", "管理制度证明"},
      {"filing.approval-reply", "批复文号"},
      {"filing.credit-code", "统一社会信用代码"},
      {"filing.establishment-date", "建站时间"},
  };
  for (const auto& [id, column] : kColumns) {
    if (id == rule) return column;
  }
  return "";
}

using Columns = std::pair<std::string_view, std::string_view>;
constexpr Columns kFormColumns[] = {
    {"display_name", "学会服务站名称"},
    {"level", "级别"},
    {"principal.name", "负责人"},
    {"principal.position", "负责人职务"},
    {"principal.mobile", "负责人手机"},
    {"contact.name", "联系人"},
    {"contact.position", "联系人职务"},
    {"contact.mobile", "联系人手机"},
    {"office_address", "办公地址"},
    {"postcode", "邮编"},
    {"email", "电子邮件"},
    {"established_on", "建站时间"},
    {"industry_chains", "服务产业链业务领域"},
    {"society.name", "建站学会"},
    {"society.supervising_association", "学会主管单位"},
    {"purpose", "建站目的"},
    {"main_work", "建站主要工作内容"},
    {"contract_party", "签约方"},
    {"approval_reply.issuer", "批复单位"},
    {"approval_reply.title", "批复标题"},
    {"approval_reply.number", "批复文号"},
};
constexpr Columns kHostColumns[] = {
    {"display_name", "建站单位"}, {"credit_code", "统一社会信用代码"}, {"kind", "建站单位类型"},
    {"county", "县市区"},         {"account.holder", "账户名称"},       {"account.bank", "开户银行"},
    {"account.number", "账号"},
};

void SetDate(const std::optional<Day>& day, google::type::Date* date) { *date = DayToProto(*day); }

void ReadPerson(std::string_view who, RowReader* row, rules::v1::ContactFacts* person) {
  person->set_name(row->Text(who));
  person->set_position(row->Text(Concat({who, "职务"})));
  person->set_mobile(row->Text(Concat({who, "手机"})));
}

void ReadDeclaration(std::string_view column, RowReader* row, rules::v1::DeclarationFacts* facts) {
  const std::string evidence = row->Text(column);
  if (evidence.empty()) return;
  facts->set_declared(true);
  for (const auto name : absl::StrSplit(evidence, absl::ByAnyChar(";\n"), absl::SkipEmpty()))
    facts->add_evidence(std::string(name));
}

v1::FilingForm ReadForm(const policy::v1::Policy& policy, RowReader* row) {
  v1::FilingForm form;
  form.set_display_name(row->Needed("学会服务站名称"));
  form.set_level(
      static_cast<common::v1::StationLevel>(ValueOf(LevelNames(policy), "级别", row)));
  ReadPerson("负责人", row, form.mutable_principal());
  ReadPerson("联系人", row, form.mutable_contact());
  form.set_office_address(row->Text("办公地址"));
  form.set_postcode(row->Text("邮编"));
  form.set_email(row->Text("电子邮件"));
  row->Needed("建站时间");
  if (const auto day = row->Date("建站时间")) SetDate(day, form.mutable_established_on());
  const std::string chains = row->Needed("服务产业链业务领域");
  for (const auto each : absl::StrSplit(
           absl::StrReplaceAll(chains, {{"；", ";"}, {"，", ";"}, {",", ";"}, {"、", ";"}}), ';',
           absl::SkipEmpty())) {
    const std::string_view name = Std(absl::StripAsciiWhitespace(each));
    bool found = false;
    for (const auto& chain : policy.industry().chains()) {
      if (chain.name_zh() != name) continue;
      form.add_industry_chains(chain.code());
      found = true;
    }
    if (!found) {
      row->Fault("服务产业链业务领域", Concat({"“", name, "”不在产业链名单中"}),
                 Concat({"\"", name, "\" is no industry chain of the list"}));
    }
  }
  form.mutable_society()->set_name(row->Needed("建站学会"));
  form.mutable_society()->set_rank(
      static_cast<common::v1::SocietyRank>(ValueOf(SocietyRankNames(), "学会级别", row)));
  form.mutable_society()->set_supervising_association(row->Text("学会主管单位"));
  form.set_purpose(row->Text("建站目的"));
  form.set_main_work(row->Text("建站主要工作内容"));
  form.set_contract_party(
      static_cast<common::v1::ContractParty>(ValueOf(ContractPartyNames(), "签约方", row)));
  if (!row->Text("批复文号").empty() || !row->Text("批复单位").empty()) {
    auto* reply = form.mutable_approval_reply();
    reply->set_issuer(row->Text("批复单位"));
    reply->set_title(row->Text("批复标题"));
    reply->set_number(row->Text("批复文号"));
    if (const auto day = row->Date("批复日期")) SetDate(day, reply->mutable_date());
  }
  if (const std::string parties = row->Text("协议各方"); !parties.empty()) {
    for (const auto party :
         absl::StrSplit(absl::StrReplaceAll(parties, {{"；", ";"}, {"、", ";"}}), ';'))
      form.mutable_agreement()->add_parties(std::string(party));
    if (const auto day = row->Date("协议起始日期"))
      SetDate(day, form.mutable_agreement()->mutable_starts_on());
    if (const auto day = row->Date("协议终止日期"))
      SetDate(day, form.mutable_agreement()->mutable_ends_on());
  }
  ReadDeclaration("工作条件证明", row, form.mutable_working_conditions());
  ReadDeclaration("经费保障证明", row, form.mutable_funding_guarantee());
  ReadDeclaration("管理制度证明", row, form.mutable_management_rules());
  return form;
}

v1::HostUnit ReadHost(const policy::v1::Policy& policy, const Caller& caller, absl::Time now,
                      RowReader* row) {
  v1::HostUnit host;
  host.set_display_name(row->Text("建站单位"));
  host.set_credit_code(row->Text("统一社会信用代码"));
  host.set_kind(
      static_cast<common::v1::HostUnitKind>(ValueOf(HostKindNames(policy), "建站单位类型", row)));
  host.set_county(row->Needed("县市区"));
  auto* account = host.mutable_account();
  account->set_holder(row->Needed("账户名称"));
  account->set_bank(row->Needed("开户银行"));
  account->set_number(row->Needed("账号"));
  if (row->good()) CheckLimits(kHostColumns, &host, row);
  host.set_name(Name("hostUnits", NewUuid()));
  *host.mutable_create_time() = ToProto(now);
  if (!row->good()) return host;
  if (const auto status = CheckHostUnit("", caller, &host); !status.ok())
    row->Fault("统一社会信用代码", errors::MessageZh(status), Std(status.message()));
  if (const auto status = CheckAccount("", caller, host, account); !status.ok())
    row->Fault("账号", errors::MessageZh(status), Std(status.message()));
  return host;
}

common::v1::Confirmation Confirmed(const std::string& reason, const Caller& caller) {
  common::v1::Confirmation confirmation;
  confirmation.set_confirmed(!reason.empty());
  confirmation.set_reason(reason);
  confirmation.set_officer(reason.empty() ? "" : caller.subject);
  return confirmation;
}

// What happened to it since: suspended still, or closed.
void ReadOperation(Day today, RowReader* row, v1::Station* station) {
  const auto established = DayFromProto(station->form().established_on());
  for (const std::string_view column : {"停运日期", "撤销日期"}) {
    const auto day = row->Date(column);
    if (!day) continue;
    if (*day > today || (established && *day < *established)) {
      row->Fault(column, "应在建站时间与今天之间", "must be between establishment and today");
    } else if (column == "停运日期") {
      SetDate(day, station->add_suspensions()->mutable_from());
      station->set_state(v1::STATION_STATE_SUSPENDED);
    } else {
      SetDate(day, station->mutable_closed_on());
      station->set_state(v1::STATION_STATE_CLOSED);
    }
  }
}

// By the same rules as AcceptFiling; what holds as a rule (原则上) may be excepted by a reason.
void CheckByRules(const Rules& rules, const Caller& caller, const v1::HostUnit& host,
                  RowReader* row, v1::Station* station) {
  const std::string exception = row->Text("例外理由");
  rules::Findings findings = rules::CheckFiling(rules.policy, *rules.calendar,
                                                FilingFactsOf(*station, host), rules.today);
  if (!exception.empty() && !rules::Allows(findings)) {
    const auto& exceptable = rules.policy.filing().exceptable_rules();
    for (const auto& finding : rules::Violations(findings)) {
      if (std::find(exceptable.begin(), exceptable.end(), finding.rule_id()) == exceptable.end())
        continue;
      auto* granted = station->add_exceptions();
      granted->set_rule_id(finding.rule_id());
      granted->set_reason(exception);
      granted->set_officer(caller.subject);
      *granted->mutable_granted_on() = DayToProto(rules.today);
    }
    findings = rules::CheckFiling(rules.policy, *rules.calendar, FilingFactsOf(*station, host),
                                  rules.today);
  }
  for (const auto& finding : rules::Violations(findings))
    row->Fault(ColumnOf(finding.rule_id()), finding.text_zh(), finding.text_en());
  station->mutable_findings()->Assign(findings.begin(), findings.end());
  *station->mutable_policy() = rules.reference;
}

}  // namespace

absl::Status Handlers::ImportStations(journal::Unit& unit, const Rules& rules,
                                      const std::map<std::string, int, std::less<>>& columns,
                                      const v1::ImportRowsRequest& request,
                                      v1::ImportRowsResponse* answer) const {
  const Caller& caller = unit.context().caller;
  std::vector<RowReader> rows;
  std::vector<std::string> host_identities;
  for (const v1::TableRow& row : request.rows()) {
    rows.emplace_back(columns, row, answer->add_results());
    host_identities.push_back(
        HostUnitIdentity(rows.back().Text("建站单位"), rows.back().Text("统一社会信用代码")));
  }
  YZ_ASSIGN_OR_RETURN(auto hosts, store_.HostUnitsWith(unit.sql(), host_identities));
  // Rows first read, then looked for all at once.
  std::vector<v1::Station> stations(rows.size());
  std::vector<std::string> identities;
  for (size_t i = 0; i < rows.size(); ++i) {
    RowReader& row = rows[i];
    row.Needed("建站单位");
    row.Needed("统一社会信用代码");
    *stations[i].mutable_form() = ReadForm(rules.policy, &row);
    const auto host = hosts.find(host_identities[i]);
    if (host == hosts.end()) {
      v1::HostUnit made = ReadHost(rules.policy, caller, unit.Now(), &row);
      if (!row.good()) continue;
      stations[i].mutable_form()->set_host_unit(made.name());
      hosts.emplace(host_identities[i], std::move(made));
    } else {
      stations[i].mutable_form()->set_host_unit(host->second.name());
    }
    if (row.good()) CheckLimits(kFormColumns, stations[i].mutable_form(), &row);
    identities.push_back(StationIdentity(stations[i].form()));
  }
  auto existing = store_.StationsByIdentity(unit.sql(), identities);
  std::vector<Store::NewStation> batch;
  std::vector<size_t> of_row;
  for (size_t i = 0; i < rows.size(); ++i) {
    RowReader& row = rows[i];
    v1::RowResult* result = answer->mutable_results(static_cast<int>(i));
    v1::Station& station = stations[i];
    if (row.good()) {
      const std::string identity = StationIdentity(station.form());
      if (const auto found = existing.find(identity); found != existing.end()) {
        result->set_outcome(v1::ROW_OUTCOME_EXISTS);
        result->set_resource(Name("stations", found->second));
        continue;
      }
      *station.mutable_demand_fit() = Confirmed(row.Text("专业对口理由"), caller);
      *station.mutable_industry_tie() = Confirmed(row.Text("产业紧密相连理由"), caller);
      station.set_state(v1::STATION_STATE_OPERATING);
      ReadOperation(rules.today, &row, &station);
      CheckByRules(rules, caller, hosts.at(host_identities[i]), &row, &station);
    }
    if (!row.good()) {
      result->set_outcome(v1::ROW_OUTCOME_REFUSED);
      continue;
    }
    const std::string id = NewUuid();
    existing[StationIdentity(station.form())] = id;
    station.set_name(Name("stations", id));
    unit.EmitPrivate(registry::FilingFactsOf(station, hosts.at(host_identities[i])));
    station.set_former_number(row.Text("原备案号"));
    *station.mutable_accepted_on() = DayToProto(rules.today);
    *station.mutable_create_time() = ToProto(unit.Now());
    *station.mutable_state_time() = station.create_time();
    result->set_outcome(v1::ROW_OUTCOME_PASSED);
    result->set_resource(station.name());
    v1::StationChange change;
    change.set_method("ImportRows");
    change.set_state(station.state());
    *change.mutable_effective_on() = DayToProto(rules.today);
    *change.mutable_time() = station.create_time();
    change.set_officer(caller.subject);
    batch.push_back({std::move(station), &hosts.at(host_identities[i]), std::move(change)});
    of_row.push_back(i);
  }
  if (batch.empty()) return absl::OkStatus();
  // Host units that a station of the batch is at, and that are not registered yet.
  for (const size_t i : of_row) {
    v1::HostUnit& host = hosts.at(host_identities[i]);
    std::string ignored;
    if (host.etag().empty()) store_.InsertHostUnit(unit.sql(), &host, &ignored);
  }
  // Numbers last: their count is locked until the end.
  std::map<int, int64_t> count, next;
  for (const auto& each : batch) ++count[each.station.form().level()];
  const int64_t year = rules.today.year();
  for (const auto& [level, number] : count)
    next[level] = store_.TakeFilingNumbers(unit.sql(), static_cast<int>(year), level, number);
  for (auto& each : batch) {
    const auto level = each.station.form().level();
    each.station.set_filing_number(FilingNumber(year, level, next[level]++));
  }
  store_.InsertStations(unit.sql(), &batch);
  return absl::OkStatus();
}

}  // namespace yuezhan::registry
