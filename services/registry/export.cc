#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/rpc/page_token.h"
#include "services/registry/handlers.h"
#include "services/registry/import.h"

namespace yuezhan::registry {
namespace {

// A row by its columns; what a column has nothing for stays empty.
using Cells = std::map<std::string, std::string, std::less<>>;

std::string DateText(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  return day ? FormatDay(*day) : "";
}

template <typename Texts>
std::string Joined(const Texts& texts, std::string_view separator = ";") {
  return absl::StrJoin(texts, Abs(separator));
}

void HostCells(const v1::HostUnit& host, Cells* cells) {
  (*cells)["建站单位"] = host.display_name();
  (*cells)["统一社会信用代码"] = host.credit_code();
}

void PersonCells(const std::string& who, const rules::v1::ContactFacts& person, Cells* cells) {
  (*cells)[who] = person.name();
  (*cells)[who + "职务"] = person.position();
  (*cells)[who + "手机"] = person.mobile();
}

Cells StationCells(const policy::v1::Policy& policy, const v1::Station& station,
                   const v1::HostUnit& host) {
  const v1::FilingForm& form = station.form();
  Cells cells;
  HostCells(host, &cells);
  cells["学会服务站名称"] = form.display_name();
  cells["级别"] = NameOf(LevelNames(policy), form.level());
  cells["建站单位类型"] = NameOf(HostKindNames(policy), host.kind());
  cells["县市区"] = host.county();
  cells["账户名称"] = host.account().holder();
  cells["开户银行"] = host.account().bank();
  cells["账号"] = host.account().number();
  PersonCells("负责人", form.principal(), &cells);
  PersonCells("联系人", form.contact(), &cells);
  cells["办公地址"] = form.office_address();
  cells["邮编"] = form.postcode();
  cells["建站时间"] = DateText(form.established_on());
  cells["电子邮件"] = form.email();
  std::vector<std::string> chains;
  for (const std::string& code : form.industry_chains()) {
    const auto* chain = policy::FindChain(policy, code);
    chains.push_back(chain == nullptr ? code : chain->name_zh());
  }
  cells["服务产业链业务领域"] = Joined(chains);
  cells["建站学会"] = form.society().name();
  cells["学会级别"] = NameOf(SocietyRankNames(), form.society().rank());
  cells["学会主管单位"] = form.society().supervising_association();
  cells["建站目的"] = form.purpose();
  cells["建站主要工作内容"] = form.main_work();
  cells["签约方"] = NameOf(ContractPartyNames(), form.contract_party());
  cells["批复单位"] = form.approval_reply().issuer();
  cells["批复标题"] = form.approval_reply().title();
  cells["批复文号"] = form.approval_reply().number();
  cells["批复日期"] = DateText(form.approval_reply().date());
  cells["协议各方"] = Joined(form.agreement().parties());
  cells["协议起始日期"] = DateText(form.agreement().starts_on());
  cells["协议终止日期"] = DateText(form.agreement().ends_on());
  cells["工作条件证明"] = Joined(form.working_conditions().evidence());
  cells["经费保障证明"] = Joined(form.funding_guarantee().evidence());
  cells["管理制度证明"] = Joined(form.management_rules().evidence());
  cells["专业对口理由"] = station.demand_fit().reason();
  cells["产业紧密相连理由"] = station.industry_tie().reason();
  if (station.exceptions_size() > 0) cells["例外理由"] = station.exceptions(0).reason();
  cells["原备案号"] =
      station.former_number().empty() ? station.filing_number() : station.former_number();
  if (station.state() == v1::STATION_STATE_SUSPENDED)
    cells["停运日期"] = DateText(station.suspensions().rbegin()->from());
  cells["撤销日期"] = DateText(station.closed_on());
  return cells;
}

Cells EvaluationCells(const policy::v1::Policy& policy, const v1::Evaluation& evaluation) {
  Cells cells;
  cells["评估年度"] = std::to_string(evaluation.year());
  cells["告知日期"] = DateText(evaluation.told_on());
  for (const auto& dimension : policy.evaluation().dimensions()) {
    for (const auto& score : evaluation.scores()) {
      if (score.code() != dimension.code()) continue;
      cells[dimension.name_zh()] = absl::StrFormat("%d.%02d", score.score_hundredths() / 100,
                                                   score.score_hundredths() % 100);
      cells["评语"] = score.remark();
    }
  }
  return cells;
}

}  // namespace

absl::Status Handlers::ExportRows(Context& context, const v1::ExportRowsRequest& request,
                                  v1::ExportRowsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  const Page page{after, rpc::PageSize(request)};
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    const auto header = HeaderOf(request.table(), rules.policy);
    answer->mutable_header()->Assign(header.begin(), header.end());
    std::map<std::string, v1::HostUnit> hosts;
    const auto host_of = [&](const std::string& name) -> absl::StatusOr<const v1::HostUnit*> {
      auto& host = hosts[name];
      if (host.name().empty()) {
        YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("hostUnits/*", name));
        YZ_ASSIGN_OR_RETURN(auto found, store_.HostUnit(sql, id));
        if (found) host = *std::move(found);
      }
      return &host;
    };
    const auto add = [&](Cells cells) {
      auto* row = answer->add_rows();
      for (const std::string& column : header) row->add_cells(cells[column]);
    };
    // Station and host of what belongs to a station.
    const auto station_cells = [&](const std::string& name, Cells* cells) -> absl::Status {
      YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", name));
      YZ_ASSIGN_OR_RETURN(const auto station, store_.Station(sql, id, Store::Reading::kShown));
      if (!station) return absl::OkStatus();
      (*cells)["学会服务站名称"] = station->form().display_name();
      YZ_ASSIGN_OR_RETURN(const auto* host, host_of(station->form().host_unit()));
      HostCells(*host, cells);
      return absl::OkStatus();
    };
    std::string last;  // of a full page
    const auto end = [&](const auto& found) {
      if (found.rows.size() == page.limit) last = found.last_key;
    };
    switch (request.table()) {
      case v1::TABLE_STATIONS: {
        YZ_ASSIGN_OR_RETURN(const auto query, list::Parse(StationList(), "", ""));
        YZ_ASSIGN_OR_RETURN(const auto found, store_.Stations(sql, query, page));
        for (const v1::Station& station : found.rows) {
          YZ_ASSIGN_OR_RETURN(const auto* host, host_of(station.form().host_unit()));
          add(StationCells(rules.policy, station, *host));
        }
        end(found);
        break;
      }
      case v1::TABLE_SUBSIDIES: {
        const auto found = store_.Subsidies(sql, page);
        for (const auto& subsidy : found.rows) {
          Cells cells;
          YZ_RETURN_IF_ERROR(station_cells(subsidy.station(), &cells));
          cells["资助类别"] = NameOf(LevelNames(rules.policy), subsidy.level());
          cells["拨付日期"] = DateText(subsidy.paid_on());
          const auto* level = policy::FindLevel(rules.policy, subsidy.level());
          cells["金额"] = level == nullptr ? "" : absl::StrCat(level->subsidy_fen() / 100);
          cells["依据"] = subsidy.source();
          add(std::move(cells));
        }
        end(found);
        break;
      }
      case v1::TABLE_EVALUATIONS: {
        YZ_ASSIGN_OR_RETURN(const auto query, list::Parse(EvaluationList(), "", ""));
        YZ_ASSIGN_OR_RETURN(const auto found, store_.Evaluations(sql, query, page));
        for (const v1::Evaluation& evaluation : found.rows) {
          if (evaluation.state() == v1::EVALUATION_STATE_SUPERSEDED) continue;
          Cells cells = EvaluationCells(rules.policy, evaluation);
          YZ_ASSIGN_OR_RETURN(const auto ids,
                              IdsOf("stations/*/evaluations/*", evaluation.name()));
          YZ_RETURN_IF_ERROR(station_cells(Name("stations", ids[0]), &cells));
          add(std::move(cells));
        }
        end(found);
        break;
      }
      default: {
        const auto found = store_.Debarments(sql, "", page);
        for (const v1::Debarment& debarment : found.rows) {
          Cells cells;
          YZ_ASSIGN_OR_RETURN(const auto ids,
                              IdsOf("hostUnits/*/debarments/*", debarment.name()));
          YZ_ASSIGN_OR_RETURN(const auto* host, host_of(Name("hostUnits", ids[0])));
          HostCells(*host, &cells);
          cells["起始日期"] = DateText(debarment.from());
          cells["截止日期"] =
              DateText(debarment.has_lifted_on() ? debarment.lifted_on() : debarment.until());
          cells["依据"] =
              debarment.source().empty() ? debarment.evaluation() : debarment.source();
          add(std::move(cells));
        }
        end(found);
      }
    }
    if (!last.empty())
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
