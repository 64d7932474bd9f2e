#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "common/policy/policy.h"
#include "services/review/printing.h"
#include "services/review/transitions.h"

// Documents of notices and objections (articles 5.3 and 5.4), and the table of all.
namespace yuezhan::embedded {
extern const char kReviewFormHtml[];
extern const char kInspectionRecordHtml[];
extern const char kDecisionRequestHtml[];
extern const char kMinutesExtractHtml[];
extern const char kPublicNoticeHtml[];
extern const char kNoticeResultHtml[];
extern const char kObjectionAdmissionHtml[];
extern const char kExaminationReportHtml[];
extern const char kObjectionAnswerHtml[];
}  // namespace yuezhan::embedded

namespace yuezhan::review {

using documents::Values;

namespace {

std::string TimeZh(const google::protobuf::Timestamp& time) {
  const absl::TimeZone beijing = absl::FixedTimeZone(8 * 60 * 60);
  return absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time), beijing);
}

std::string PeriodZh(const Printed& printed) {
  const v1::Notice& notice = printed.notice;
  const auto& policy = printed.rules->policy.notice();
  if (!notice.has_last_day()) {
    return absl::StrCat(policy.working_days(), "个工作日，自最后一个网站发布之日",
                        policy.count_first_day() ? "" : "的次日", "起计算，末日24时届满。");
  }
  return absl::StrCat(DayZh(notice.first_day()), "至", DayZh(notice.last_day()), "，共",
                      policy.working_days(), "个工作日，末日24时届满",
                      notice.provisional() ? "（截止日以国务院办公厅节假日安排公布后的计算为准）"
                                           : "",
                      "。");
}

std::string SiteZh(const Printed& printed, const std::string& code) {
  const auto* site = policy::FindSite(printed.rules->policy, code);
  return site == nullptr ? code : site->name_zh();
}

std::string ResultZh(const Printed& printed, const v1::Case& review_case) {
  if (review_case.notice() != printed.notice.name()) return "已另行公示或者终止办理。";
  switch (review_case.state()) {
    case v1::CASE_STATE_NOTICE_ENDED:
      return review_case.maintained_objections().empty()
                 ? "公示期满无异议。"
                 : "公示期间的异议经核查并报主任会议研究，维持资助决定。";
    case v1::CASE_STATE_CLEARED:
    case v1::CASE_STATE_PAID:
      return review_case.maintained_objections().empty()
                 ? "公示期满无异议，可以拨付。"
                 : "公示期间的异议经核查并报主任会议研究，维持资助决定，可以拨付。";
    case v1::CASE_STATE_OBJECTED:
      return "有异议正在核查，暂缓拨付。";
    case v1::CASE_STATE_CANCELLED:
      return "异议属实，已撤销资助决定。";
    case v1::CASE_STATE_WITHDRAWN:
      return "申报单位已撤回申请。";
    default:
      return "尚未办结。";
  }
}

// "共收到异议3件：网上提交1件、来信2件。……"
std::string ObjectionsZh(const Printed& printed) {
  std::map<std::string, int> channels;
  int leads = 0, late = 0, accepted = 0;
  for (const v1::Objection& objection : printed.objections) {
    ++channels[ChannelZh(objection.channel())];
    leads += objection.lead();
    late += objection.late();
    accepted += objection.state() != v1::OBJECTION_STATE_RECEIVED &&
                objection.state() != v1::OBJECTION_STATE_NOT_ACCEPTED &&
                !objection.admission_reason().empty() && !objection.lead() && !objection.late();
  }
  if (channels.empty()) return "公示期间，网上提交、来信、来访、来电等各渠道均未收到异议。";
  std::string text = absl::StrCat("各渠道共收到异议", printed.objections.size(), "件：");
  absl::StrAppend(&text, absl::StrJoin(channels, "、", [](std::string* out, const auto& channel) {
                    absl::StrAppend(out, channel.first, channel.second, "件");
                  }));
  absl::StrAppend(&text, "。其中受理", accepted, "件");
  if (leads > 0) absl::StrAppend(&text, "，匿名线索", leads, "件");
  if (late > 0) absl::StrAppend(&text, "，逾期收到", late, "件");
  return absl::StrCat(text, "。");
}

// The officer who signed for the office, and for whom where a delegation is on record.
std::string SignerZh(const Printed& printed, v1::Office office, const std::string& officer) {
  for (const v1::DelegatedSignature& each : printed.notice.delegated_signatures()) {
    if (each.office() == office) return printed.Delegate(officer, each.on_behalf_of());
  }
  return printed.Person(officer);
}

std::string ObjectionResolutionZh(v1::ObjectionResolution resolution) {
  switch (resolution) {
    case v1::OBJECTION_RESOLUTION_MAINTAIN:
      return "异议不成立，维持资助决定";
    case v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT:
      return "变更资助金额并重新公示";
    case v1::OBJECTION_RESOLUTION_CANCEL:
      return "异议属实，撤销资助决定";
    default:
      return "";
  }
}

absl::Status Needs(const std::string& name, std::string_view state, std::string_view needed,
                   std::string_view method) {
  return errors::StateForbids(name, state, {needed}, method);
}

}  // namespace

std::string ChannelZh(std::string_view channel) {
  if (channel == "letter") return "来信";
  if (channel == "visit") return "来访";
  if (channel == "call") return "来电";
  return "网上提交";
}

Values NoticeValues(const Printed& printed) {
  const v1::Notice& notice = printed.notice;
  std::vector<Values> lines;
  for (const v1::AwardLine& line : notice.lines()) {
    lines.push_back(Values()
                        .Text("number", absl::StrCat(line.number()))
                        .Text("station_name", line.station_name())
                        .Text("level", printed.LevelZh(line.level()))
                        .Text("society_name", line.society_name())
                        .Text("host_name", line.host_name())
                        .Text("amount", FormatYuan(FenOf(line.amount()).value_or(0))));
  }
  return CommonValues(*printed.rules)
      .Text("sites", absl::StrJoin(printed.rules->policy.notice().sites(), "、",
                                   [](std::string* out, const auto& site) {
                                     absl::StrAppend(out, site.name_zh());
                                   }))
      .Text("period", PeriodZh(printed))
      .Text("objection_address", notice.objection_address())
      .Text("objection_phone", notice.objection_phone())
      .Text("date", FormatDayZh(BeijingDay(FromProto(notice.create_time()))))
      .Text("total", FormatYuan(FenOf(notice.total_amount()).value_or(0)))
      .Text("list_digest", notice.list_digest())
      .List("lines", std::move(lines));
}

Values ResultValues(const Printed& printed) {
  const v1::Notice& notice = printed.notice;
  std::vector<Values> postings, lines;
  for (const v1::Posting& posting : notice.postings()) {
    std::vector<Values> downs;
    for (const v1::PostingDown& down : posting.downs()) {
      downs.push_back(Values().Text(
          "down", absl::StrCat("撤下：", TimeZh(down.down_time()), "至",
                               down.has_back_time() ? TimeZh(down.back_time()) : "今", "，",
                               down.reason())));
    }
    postings.push_back(Values()
                           .Text("site", SiteZh(printed, posting.site()))
                           .Text("url", posting.url())
                           .Text("live", TimeZh(posting.live_time()))
                           .List("downs", std::move(downs)));
  }
  for (const v1::AwardLine& line : notice.lines()) {
    lines.push_back(Values()
                        .Text("number", absl::StrCat(line.number()))
                        .Text("station_name", line.station_name())
                        .Text("result", ResultZh(printed, printed.cases.at(line.case_name()))));
  }
  const auto& statement = notice.statement();
  return CommonValues(*printed.rules)
      .Text("count", absl::StrCat(notice.lines_size()))
      .Text("total", FormatYuan(FenOf(notice.total_amount()).value_or(0)))
      .Text("period", PeriodZh(printed))
      .Text("list_digest", notice.list_digest())
      .Text("objections", ObjectionsZh(printed))
      .Text("association_officer",
            SignerZh(printed, v1::OFFICE_ASSOCIATION, statement.association_officer()))
      .Text("talent_office_officer",
            SignerZh(printed, v1::OFFICE_TALENT_OFFICE, statement.talent_office_officer()))
      .Text("date", statement.has_made_on() ? DayZh(statement.made_on()) : "　　年　　月　　日")
      .List("postings", std::move(postings))
      .List("lines", std::move(lines));
}

Values ObjectionValues(const Printed& printed, const v1::Objection& objection,
                       const google::type::Date& done_on) {
  const v1::Case& review_case = printed.cases.at(objection.case_name());
  std::vector<Values> grounds;
  for (const auto& finding : objection.findings()) {
    if (finding.outcome() == common::v1::OUTCOME_VIOLATED)
      grounds.push_back(Values().Text("text", finding.text_zh()));
  }
  // What the objector handed in may name them.
  std::vector<files::File> found;
  for (const files::File& file : printed.files) {
    if (file.code == "examination") found.push_back(file);
  }
  const std::string objector = objection.objector_name();
  const bool person = objection.objector_kind() == rules::v1::OBJECTOR_KIND_PERSON;
  return CommonValues(*printed.rules)
      .Text("objector_name", objector.empty() ? "异议人" : objector)
      .Text("you", objector.empty() ? "你（单位）" : person ? "您" : "你单位")
      .Text("station_name", review_case.station_name())
      .Text("host_name", review_case.host_name())
      .Text("level", printed.LevelZh(review_case.category()))
      .Text("number", absl::StrCat(objection.number()))
      .Text("received_on", DayZh(objection.received_on()))
      .Text("channel", ChannelZh(objection.channel()))
      .Text("content", objection.content())
      .Flag("accepted", objection.state() != v1::OBJECTION_STATE_NOT_ACCEPTED &&
                            objection.state() != v1::OBJECTION_STATE_RECEIVED && grounds.empty())
      .Text("reason", Sentence(objection.admission_reason()))
      .Text("report", Sentence(objection.report()))
      .Text("examiner", printed.Actor(review_case, objection.examined_by(),
                                      common::v1::ACT_EXAMINE_OBJECTION, objection.name()))
      .Flag("late", objection.late())
      .Flag("resolved", objection.resolution() != v1::OBJECTION_RESOLUTION_UNSPECIFIED)
      .Text("resolution", ObjectionResolutionZh(objection.resolution()))
      .Text("answer", Sentence(objection.answer()))
      .Text("date", DayZh(done_on))
      .List("grounds", std::move(grounds))
      .List("files", FileRows(found));
}

absl::Status PrintOf(v1::DocumentKind kind, const std::string& name, const Printed& printed,
                     common::v1::PrintedDocument* answer) {
  const auto print = [&](const documents::Template& body, const Values& values) {
    return documents::Print(body, name, values, answer);
  };
  switch (kind) {
    case v1::DOCUMENT_KIND_REVIEW_FORM:
      return print({"review-form", "初审意见表", embedded::kReviewFormHtml},
                   ReviewFormValues(printed, printed.cases.at(name)));
    case v1::DOCUMENT_KIND_INSPECTION_RECORD:
      if (!printed.cases.at(name).inspection().has_done_on())
        return Needs(name, "NOT_INSPECTED", "INSPECTED", "RecordInspection");
      return print({"inspection-record", "现场考察记录表", embedded::kInspectionRecordHtml},
                   InspectionValues(printed, printed.cases.at(name)));
    case v1::DOCUMENT_KIND_DECISION_REQUEST:
      return print({"decision-request", "提请审定的请示", embedded::kDecisionRequestHtml},
                   RequestValues(printed));
    case v1::DOCUMENT_KIND_MINUTES_EXTRACT:
      if (printed.meeting.state() != v1::MEETING_STATE_CLOSED)
        return Needs(name, "CONVENED", "CLOSED", "CloseMeeting");
      return print({"minutes-extract", "会议纪要（摘录）", embedded::kMinutesExtractHtml},
                   MinutesValues(printed));
    case v1::DOCUMENT_KIND_PUBLIC_NOTICE:
      return print({"public-notice", "公示", embedded::kPublicNoticeHtml}, NoticeValues(printed));
    case v1::DOCUMENT_KIND_NOTICE_RESULT:
      if (printed.notice.state() != v1::NOTICE_STATE_ENDED &&
          printed.notice.state() != v1::NOTICE_STATE_CONCLUDED)
        return Needs(name, NoticeTransitions().StateName(printed.notice.state()), "ENDED", "");
      return print({"notice-result", "公示结果说明", embedded::kNoticeResultHtml},
                   ResultValues(printed));
    default:
      break;
  }
  const v1::Objection& objection = printed.objections.front();
  const google::type::Date& done_on =
      kind == v1::DOCUMENT_KIND_OBJECTION_ADMISSION  ? objection.admitted_on()
      : kind == v1::DOCUMENT_KIND_EXAMINATION_REPORT ? objection.examined_on()
                                                     : objection.answered_on();
  const Values values = ObjectionValues(printed, objection, done_on);
  const std::string_view state = ObjectionTransitions().StateName(objection.state());
  if (kind == v1::DOCUMENT_KIND_OBJECTION_ADMISSION) {
    if (objection.admission_reason().empty()) return Needs(name, state, "ACCEPTED", "AdmitObjection");
    return print({"objection-admission", "异议受理告知书", embedded::kObjectionAdmissionHtml},
                 values);
  }
  if (kind == v1::DOCUMENT_KIND_EXAMINATION_REPORT) {
    if (objection.report().empty()) return Needs(name, state, "EXAMINED", "ReportExamination");
    return print({"examination-report", "核查报告", embedded::kExaminationReportHtml}, values);
  }
  if (objection.answer().empty()) return Needs(name, state, "ANSWERED", "AnswerObjection");
  return print({"objection-answer", "答复书", embedded::kObjectionAnswerHtml}, values);
}

}  // namespace yuezhan::review
