#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "services/registry/handlers.h"
#include "services/registry/import.h"

// What happened before this register: subsidies, evaluations, debarments. Without them once would
// not be once.
namespace yuezhan::registry {
namespace {

// As the column of the source keeps it, behind a word of its own.
constexpr size_t kMaxSourceBytes = 100;
constexpr std::pair<std::string_view, std::string_view> kScoreColumns[] = {{"remark", "评语"}};

void Exists(std::string_view resource, v1::RowResult* result) {
  result->set_outcome(v1::ROW_OUTCOME_EXISTS);
  result->set_resource(std::string(resource));
}

void Passed(std::string_view resource, v1::RowResult* result) {
  result->set_outcome(v1::ROW_OUTCOME_PASSED);
  result->set_resource(std::string(resource));
}

}  // namespace

std::string Handlers::HostUnitOfRow(db::Session& sql, RowReader* row) const {
  const std::string name = row->Needed("建站单位"), code = row->Needed("统一社会信用代码");
  const auto found = store_.HostUnitsByIdentity(sql, {HostUnitIdentity(name, code)});
  if (found.empty() && row->good()) {
    row->Fault("建站单位", "没有此名称和信用代码的建站单位，请先导入服务站",
               "no host unit of that name and code: import its station first");
  }
  return found.empty() ? "" : found.begin()->second;
}

absl::StatusOr<std::optional<v1::Station>> Handlers::StationOfRow(db::Session& sql,
                                                                  RowReader* row) const {
  const std::string host = HostUnitOfRow(sql, row);
  v1::FilingForm form;
  form.set_display_name(row->Needed("学会服务站名称"));
  if (!row->good()) return std::nullopt;
  form.set_host_unit(Name("hostUnits", host));
  const auto found = store_.StationsByIdentity(sql, {StationIdentity(form)});
  if (found.empty()) {
    row->Fault("学会服务站名称", "该建站单位没有此服务站，请先导入服务站",
               "that host unit has no such station: import it first");
    return std::nullopt;
  }
  return store_.Station(sql, found.begin()->second, Store::Reading::kForChange);
}

absl::Status Handlers::ImportSubsidy(journal::Unit& unit, const Rules& rules, RowReader* row,
                                     v1::RowResult* result) const {
  YZ_ASSIGN_OR_RETURN(const auto station, StationOfRow(unit.sql(), row));
  const int level = ValueOf(LevelNames(rules.policy), "资助类别", row);
  row->Needed("拨付日期");
  const auto paid_on = row->Date("拨付日期");
  const auto fen = row->Fen("金额");
  const std::string source = row->Needed("依据");
  if (paid_on && *paid_on > rules.today)
    row->Fault("拨付日期", "不得晚于今天", "must not be in the future");
  if (source.size() > kMaxSourceBytes)
    row->Fault("依据", "不得超过33个汉字", "must be at most 100 bytes");
  if (!row->good()) return absl::OkStatus();
  const auto* of_level =
      policy::FindLevel(rules.policy, static_cast<common::v1::StationLevel>(level));
  if (of_level == nullptr || of_level->subsidy_fen() == 0) {
    row->Fault("资助类别", "该级别没有资助", "there is no subsidy of that level");
    return absl::OkStatus();
  }
  rules::v1::SubsidyFacts subsidy;
  subsidy.set_station(station->name());
  subsidy.set_level(static_cast<common::v1::StationLevel>(level));
  subsidy.set_source(Concat({"import: ", source}));
  *subsidy.mutable_paid_on() = DayToProto(*paid_on);
  // Paid through us: the table that export writes names it too.
  const auto same = [&](const rules::v1::SubsidyFacts& known) {
    return known.station() == subsidy.station() && known.level() == subsidy.level() &&
           DayFromProto(known.paid_on()) == paid_on;
  };
  if (std::any_of(station->subsidies().begin(), station->subsidies().end(), same)) {
    Exists(station->name(), result);
    return absl::OkStatus();
  }
  // The id of the payment that it stands for: the same row again is the same payment.
  YZ_ASSIGN_OR_RETURN(const std::string payment,
                      UuidFromBytes(Digest({"imported subsidy", station->name(), FormatDay(*paid_on),
                                            std::to_string(level)})
                                        .substr(0, 16)));
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", station->name()));
  if (!store_.InsertSubsidy(unit.sql(), id, payment, subsidy)) {
    Exists(station->name(), result);
    return absl::OkStatus();
  }
  v1::UseReport report;
  report.set_name(Name("stations", id, "useReports", NewUuid()));
  report.set_host_unit(station->form().host_unit());
  *report.mutable_paid() = MoneyOf(*fen);
  *report.mutable_paid_on() = DayToProto(*paid_on);
  ExpectUseReport(unit, rules, std::move(report), payment);
  Passed(station->name(), result);
  return absl::OkStatus();
}

absl::Status Handlers::ImportEvaluation(journal::Unit& unit, const Rules& rules, RowReader* row,
                                        v1::RowResult* result) const {
  YZ_ASSIGN_OR_RETURN(const auto station, StationOfRow(unit.sql(), row));
  v1::Evaluation evaluation;
  const auto year = row->Number("评估年度");
  if (year && (*year < 2000 || *year > rules.today.year()))
    row->Fault("评估年度", "应在2000年与本年度之间", "must be between 2000 and this year");
  for (const auto& dimension : rules.policy.evaluation().dimensions()) {
    const auto score = row->Hundredths(dimension.name_zh());
    auto* scored = evaluation.add_scores();
    scored->set_code(dimension.code());
    scored->set_score_hundredths(score.value_or(0));
    scored->set_remark(row->Text("评语"));
    if (row->good()) CheckLimits(kScoreColumns, scored, row);
  }
  if (const auto told = row->Date("告知日期")) *evaluation.mutable_told_on() = DayToProto(*told);
  if (evaluation.has_told_on() && *DayFromProto(evaluation.told_on()) > rules.today)
    row->Fault("告知日期", "不得晚于今天", "must not be in the future");
  if (!row->good()) return absl::OkStatus();
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", station->name()));
  evaluation.set_name(Name("stations", id, "evaluations", NewUuid()));
  evaluation.set_host_unit(station->form().host_unit());
  evaluation.set_year(*year);
  evaluation.set_evaluated_by(unit.context().caller.subject);
  *evaluation.mutable_create_time() = ToProto(unit.Now());
  // Looked for first: grading a failure debars.
  if (const std::string existing = store_.EvaluationInForce(unit.sql(), id, *year);
      !existing.empty()) {
    Exists(existing, result);
    return absl::OkStatus();
  }
  if (const auto status = Grade(unit, rules, station->form().level(), &evaluation); !status.ok()) {
    row->Fault("", errors::MessageZh(status), Std(status.message()));
    return absl::OkStatus();
  }
  std::string existing;
  store_.InsertEvaluation(unit.sql(), &evaluation, &existing);
  Passed(evaluation.name(), result);
  return absl::OkStatus();
}

absl::Status Handlers::ImportDebarment(journal::Unit& unit, RowReader* row,
                                       v1::RowResult* result) const {
  const std::string host = HostUnitOfRow(unit.sql(), row);
  row->Needed("起始日期");
  const auto from = row->Date("起始日期"), until = row->Date("截止日期");
  const std::string source = row->Needed("依据");
  if (source.size() > kMaxSourceBytes)
    row->Fault("依据", "不得超过33个汉字", "must be at most 100 bytes");
  if (from && until && *until < *from)
    row->Fault("截止日期", "不得早于起始日期", "must not be before the first day");
  if (!row->good()) return absl::OkStatus();
  v1::Debarment debarment;
  debarment.set_name(Name("hostUnits", host, "debarments", NewUuid()));
  debarment.set_source(source);
  *debarment.mutable_from() = DayToProto(*from);
  if (until) *debarment.mutable_until() = DayToProto(*until);
  *debarment.mutable_create_time() = ToProto(unit.Now());
  if (Debar(unit, debarment)) {
    Passed(debarment.name(), result);
  } else {
    Exists(Name("hostUnits", host), result);
  }
  return absl::OkStatus();
}

absl::Status Handlers::ImportRecord(journal::Unit& unit, const Rules& rules, v1::Table table,
                                    RowReader* row, v1::RowResult* result) const {
  switch (table) {
    case v1::TABLE_SUBSIDIES:
      return ImportSubsidy(unit, rules, row, result);
    case v1::TABLE_EVALUATIONS:
      return ImportEvaluation(unit, rules, row, result);
    default:
      return ImportDebarment(unit, row, result);
  }
}

}  // namespace yuezhan::registry
