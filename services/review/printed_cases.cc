#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/money.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/policy/policy.h"
#include "common/rules/amount_words.h"
#include "common/rules/review.h"
#include "common/rules/scores.h"
#include "services/review/printing.h"

// Documents of cases and meetings (article 5.2).
namespace yuezhan::review {

using documents::Values;

namespace {

constexpr std::string_view kOutcomesZh[] = {"", "符合", "不符合", "例外", "不适用", "提示"};

std::string ScoreZh(const Rules& rules, const v1::Case& review_case) {
  const auto score = rules::AssessmentScore(rules.policy, review_case.assessment());
  return score ? rules::FormatScore(*score) : "";
}

std::string RecommendationZh(rules::v1::Recommendation recommendation) {
  switch (recommendation) {
    case rules::v1::RECOMMENDATION_AWARD:
      return "建议给予资助，提请主任会议审定";
    case rules::v1::RECOMMENDATION_RETURN:
      return "退回补正";
    case rules::v1::RECOMMENDATION_REFUSE:
      return "不予资助";
    default:
      return "尚未提出";
  }
}

std::string WordOn(const v1::Case& review_case, const std::string& rule_id) {
  for (const v1::FindingReview& review : review_case.finding_reviews()) {
    if (review.rule_id() != rule_id) continue;
    const std::string word = review.confirmed() ? "确认" : "有异议";
    return review.remark().empty() ? word : absl::StrCat(word, "：", review.remark());
  }
  return "—";  // on the opinion itself
}

std::string InspectionZh(const v1::Inspection& inspection) {
  if (!inspection.has_done_on()) return "已安排，尚未完成";
  return absl::StrCat(DayZh(inspection.done_on()), "，", inspection.attended_size(),
                      "名专家参加。", inspection.conclusion());
}

std::string ItemZh(const Printed& printed, const v1::MeetingItem& item) {
  const std::string& station = printed.cases.at(item.case_name()).station_name();
  if (item.objection().empty()) return absl::StrCat(station, "资助事项");
  for (const v1::Objection& objection : printed.objections) {
    if (objection.name() == item.objection())
      return absl::StrCat(station, "公示异议（第", objection.number(), "号）");
  }
  return absl::StrCat(station, "公示异议");
}

std::string ResolutionZh(const v1::MeetingItem& item) {
  switch (item.objection_resolution()) {
    case v1::OBJECTION_RESOLUTION_MAINTAIN:
      return "维持资助决定";
    case v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT:
      return "变更资助金额，重新公示";
    case v1::OBJECTION_RESOLUTION_CANCEL:
      return "撤销资助决定";
    default:
      break;
  }
  switch (item.resolution()) {
    case rules::v1::RESOLUTION_AWARD:
      return "给予一次性资助";
    case rules::v1::RESOLUTION_REFUSE:
      return "不予资助";
    case rules::v1::RESOLUTION_DEFER:
      return "缓议";
    default:
      return "本项未作决定";
  }
}

// "经会议研究，一致同意：", what was resolved follows.
std::string HowZh(const v1::MeetingItem& item) {
  if (item.resolution() == rules::v1::RESOLUTION_UNSPECIFIED &&
      item.objection_resolution() == v1::OBJECTION_RESOLUTION_UNSPECIFIED)
    return "";
  const int votes = item.votes_for() + item.votes_against() + item.abstentions();
  if (votes == 0) return "经会议研究，一致同意：";
  return absl::StrCat("经表决（同意", item.votes_for(), "票，反对", item.votes_against(), "票，弃权",
                      item.abstentions(), "票），会议决定：");
}

// 一 to 九十九, as headings count.
std::string CountZh(size_t n) {
  constexpr std::string_view kDigits[] = {"", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  if (n > 99) return absl::StrCat(n);
  if (n < 10) return std::string(kDigits[n]);
  return Concat({n < 20 ? "" : kDigits[n / 10], "十", kDigits[n % 10]});
}

}  // namespace

std::string Printed::Person(const std::string& subject) const {
  const auto name = names.find(subject);
  if (name != names.end()) return name->second;
  return subject.empty() ? "" : absl::StrCat("（", subject, "）");
}

std::string Printed::Persons(
    const google::protobuf::RepeatedPtrField<std::string>& subjects) const {
  if (subjects.empty()) return "无";
  return absl::StrJoin(subjects, "、", [this](std::string* out, const std::string& subject) {
    absl::StrAppend(out, Person(subject));
  });
}

std::string Printed::Delegate(const std::string& subject, const std::string& on_behalf_of) const {
  if (on_behalf_of.empty()) return Person(subject);
  return absl::StrCat(Person(subject), "（受", Person(on_behalf_of), "委托）");
}

std::string Printed::Actor(const v1::Case& review_case, const std::string& subject,
                           common::v1::Act act, std::string_view what) const {
  std::string on_behalf_of;
  for (const auto& done : review_case.acts()) {
    if (done.person() == subject && done.act() == act && done.what() == what)
      on_behalf_of = done.on_behalf_of();
  }
  return Delegate(subject, on_behalf_of);
}

std::string Printed::LevelZh(common::v1::StationLevel level) const {
  const auto* found = policy::FindLevel(rules->policy, level);
  return found == nullptr ? "" : found->name_zh();
}

Values CommonValues(const Rules& rules) {
  const auto& offices = rules.policy.offices();
  Values values;
  values.Text("city", offices.city_zh())
      .Text("association", offices.association_zh())
      .Text("association_short", offices.association_short_zh())
      .Text("talent_office", offices.talent_office_zh())
      .Text("talent_office_short", offices.talent_office_short_zh())
      .Text("fund", offices.fund_zh())
      .Text("regulation", rules.policy.document().title_zh())
      .Text("regulation_number", rules.policy.document().number());
  return values;
}

std::string Sentence(const std::string& text) {
  for (const std::string_view end : {"。", "！", "？", "；", "：", "."}) {
    if (text.empty() || std::string_view(text).ends_with(end)) return text;
  }
  return Concat({text, "。"});
}

std::string DayZh(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  return day ? FormatDayZh(*day) : "";
}

std::vector<Values> FileRows(const std::vector<files::File>& files) {
  std::vector<Values> rows;
  for (const files::File& file : files)
    rows.push_back(Values().Text("file_name", file.file_name).Text("sha256", file.sha256));
  return rows;
}

Values ReviewFormValues(const Printed& printed, const v1::Case& review_case) {
  const auto& assessment = review_case.assessment();
  const auto& opinion = review_case.opinion();
  Values values = CommonValues(*printed.rules);
  values.Text("station_name", review_case.station_name())
      .Text("society_name", review_case.society_name())
      .Text("host_name", review_case.host_name())
      .Text("level", printed.LevelZh(review_case.category()))
      .Text("submitted_on", DayZh(review_case.submitted_on()))
      .Flag("assessed", review_case.has_assessment())
      .Text("conclusion", assessment.qualified() ? "合格" : "不合格")
      .Text("score", ScoreZh(*printed.rules, review_case))
      .Text("assessed_on", DayZh(assessment.assessed_on()))
      .Text("assessors", printed.Persons(assessment.assessors()))
      .Text("inspection",
            review_case.has_inspection() ? InspectionZh(review_case.inspection()) : "未安排")
      .Text("recommendation", RecommendationZh(opinion.recommendation()))
      .Text("reason", opinion.reason())
      .Text("prepared_by", printed.Actor(review_case, opinion.prepared_by(),
                                         common::v1::ACT_PREPARE, "opinion"))
      .Text("approved_by", printed.Actor(review_case, opinion.approved_by(),
                                         common::v1::ACT_APPROVE, "opinion"))
      .Text("date", opinion.approved_by().empty()
                        ? "　　年　　月　　日"
                        : FormatDayZh(BeijingDay(FromProto(review_case.state_time()))));
  std::vector<Values> points, findings, departments;
  for (const std::string& point : opinion.points())
    points.push_back(
        Values().Text("number", absl::StrCat(points.size() + 1)).Text("text", point));
  for (const v1::DepartmentOpinion& asked : review_case.department_opinions()) {
    departments.push_back(
        Values()
            .Text("department", asked.department())
            .Text("opinion", asked.has_received_on()
                                 ? absl::StrCat(asked.opinion(), "（", DayZh(asked.received_on()),
                                                "收到）")
                                 : absl::StrCat(DayZh(asked.asked_on()), "征求意见，尚未收到")));
  }
  for (const auto& finding : review_case.findings()) {
    if (finding.outcome() == common::v1::OUTCOME_NOT_APPLICABLE) continue;
    findings.push_back(
        Values()
            .Text("number", absl::StrCat(findings.size() + 1))
            .Text("article", finding.article() == "interpretation" ? "解释" : finding.article())
            .Text("text", finding.text_zh())
            .Text("outcome", kOutcomesZh[finding.outcome()])
            .Text("word", WordOn(review_case, finding.rule_id())));
  }
  return values.List("points", std::move(points))
      .List("departments", std::move(departments))
      .List("findings", std::move(findings));
}

Values InspectionValues(const Printed& printed, const v1::Case& review_case) {
  const v1::Inspection& inspection = review_case.inspection();
  constexpr std::string_view kDeclarations[] = {"尚未声明", "无利害关系", "有利害关系，已回避"};
  std::vector<Values> experts, items;
  for (const v1::Expert& expert : inspection.experts()) {
    const auto& attended = inspection.attended();
    const bool there =
        std::find(attended.begin(), attended.end(), expert.subject()) != attended.end();
    experts.push_back(
        Values()
            .Text("name", expert.display_name())
            .Text("affiliation", expert.affiliation())
            .Text("declaration",
                  absl::StrCat(std::string(kDeclarations[expert.declaration()]),
                               expert.statement().empty() ? "" : "：", expert.statement()))
            .Text("took_part", there ? "是" : "否"));
  }
  for (const v1::InspectedItem& item : inspection.items()) {
    items.push_back(Values()
                        .Text("number", absl::StrCat(items.size() + 1))
                        .Text("item", item.item())
                        .Text("seen", item.seen())
                        .Text("agrees", item.agrees() ? "是" : "否"));
  }
  std::vector<files::File> evidence;
  for (const files::File& file : printed.files) {
    if (file.code == "inspection") evidence.push_back(file);
  }
  return CommonValues(*printed.rules)
      .Text("station_name", review_case.station_name())
      .Text("host_name", review_case.host_name())
      .Text("done_on", DayZh(inspection.done_on()))
      .Text("called_for", inspection.reason())
      .Text("conclusion", inspection.conclusion())
      .Text("recorded_by", printed.Actor(review_case, inspection.recorded_by(),
                                         common::v1::ACT_PREPARE, "inspection"))
      .List("experts", std::move(experts))
      .List("items", std::move(items))
      .List("files", FileRows(evidence));
}

Values RequestValues(const Printed& printed) {
  std::vector<Values> items;
  for (const v1::MeetingItem& item : printed.meeting.items()) {
    const v1::Case& review_case = printed.cases.at(item.case_name());
    const auto* level = policy::FindLevel(printed.rules->policy, review_case.category());
    std::string opinion = absl::StrCat(
        "考核认定", review_case.assessment().qualified() ? "合格" : "不合格", "；初审意见：",
        RecommendationZh(review_case.opinion().recommendation()), "。",
        Sentence(review_case.opinion().reason()));
    int64_t fen = level == nullptr ? 0 : level->subsidy_fen();
    for (const v1::Objection& objection : printed.objections) {
      if (objection.name() != item.objection()) continue;
      opinion = absl::StrCat("异议核查情况：", Sentence(objection.report()));
      fen = FenOf(review_case.awarded_amount()).value_or(0);
    }
    items.push_back(Values()
                        .Text("number", absl::StrCat(items.size() + 1))
                        .Text("what", ItemZh(printed, item))
                        .Text("level", printed.LevelZh(review_case.category()))
                        .Text("host_name", review_case.host_name())
                        .Text("score", ScoreZh(*printed.rules, review_case))
                        .Text("amount", FormatYuan(fen))
                        .Text("opinion", opinion));
  }
  return CommonValues(*printed.rules)
      .Text("count", absl::StrCat(printed.meeting.items_size()))
      .Text("date", FormatDayZh(BeijingDay(FromProto(printed.meeting.create_time()))))
      .List("items", std::move(items));
}

Values MinutesValues(const Printed& printed) {
  const auto& facts = printed.meeting.facts();
  std::vector<Values> items;
  for (const v1::MeetingItem& item : printed.meeting.items()) {
    const int64_t fen = FenOf(item.amount()).value_or(0);
    items.push_back(Values()
                        .Text("number", CountZh(items.size() + 1))
                        .Text("what", ItemZh(printed, item))
                        .Text("resolution", ResolutionZh(item))
                        .Flag("has_amount", fen > 0)
                        .Text("amount", FormatYuan(fen))
                        .Text("words", rules::AmountWords(fen))
                        .Text("how", HowZh(item))
                        .Flag("has_recused", item.recused_size() > 0)
                        .Text("recused", printed.Persons(item.recused()))
                        .Flag("has_corrects", !item.corrects().empty())
                        .Text("corrects", item.corrects())
                        .Text("opinion", item.opinion_text()));
  }
  return CommonValues(*printed.rules)
      .Text("minutes_number", facts.minutes_number())
      .Text("held_on", DayZh(facts.held_on()))
      .Text("chair", printed.Person(facts.chair()))
      .Text("present", printed.Persons(facts.present()))
      .Text("attending", printed.Persons(printed.meeting.attending()))
      .Text("absent", printed.Persons(printed.meeting.absent()))
      .Text("recorder", printed.Person(facts.recorder()))
      .Text("signer", printed.Person(facts.signer()))
      .Text("minutes_digest", printed.meeting.minutes_digest())
      .List("items", std::move(items));
}

}  // namespace yuezhan::review
