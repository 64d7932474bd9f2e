#include "common/rules/application.h"

#include "common/rules/internal.h"
#include "common/rules/standing.h"

namespace yuezhan::rules {
namespace {

using Application = Question<v1::ApplicationFacts>;

// Article 5.1: the filing form is a material of the application, so the station is filed.
void StationFiled(const Application& q, Verdict& v) {
  v.Fact("station", Station(q).station());
  if (Station(q).filed()) return v.Satisfied("学会服务站已备案。", "The station is filed.");
  v.Violated(Concat({"学会服务站尚未备案。请先向", Association(q.policy),
                     "提交《学会服务站备案登记表》，备案后再申报。"}),
             "The station is not filed. Please file it with the association first.");
}

// Article 5: national and provincial stations are subsidized, municipal ones are not.
void LevelSubsidized(const Application& q, Verdict& v) {
  const policy::v1::Level* level = policy::FindLevel(q.policy, Station(q).level());
  if (level == nullptr)
    return v.Violated("学会服务站的级别未知，请先更正备案。",
                      "The level of the station is unknown.");
  v.Fact("level", level->name_en());
  if (level->subsidy_fen() > 0) {
    return v.Satisfied(
        Concat({level->name_zh(), "学会服务站的资助标准为", YuanZh(level->subsidy_fen()), "。"}),
        Concat({"A ", level->name_en(), " station gets ", YuanEn(level->subsidy_fen()), "."}));
  }
  v.Violated(Concat({level->name_zh(), "学会服务站不在资助范围内，无需申报；备案继续有效。"}),
             Concat({"A ", level->name_en(),
                     " station gets no subsidy and need not apply; its filing stands."}));
}

// Article 5: newly built.
void NewlyBuilt(const Application& q, Verdict& v) {
  const std::optional<Day> since = ParseDay(q.policy.application().newly_built_from());
  if (!since)
    return v.NotApplicable("办法未规定“新建”的起始日期。",
                           "The policy names no day for \"newly built\".");
  const std::optional<Day> established = EstablishedOn(q.policy, Station(q));
  v.Fact("established_on", established).Fact("newly_built_from", *since);
  if (established && *established >= *since)
    return v.Satisfied("属于新建的学会服务站。", "The station is newly built.");
  v.Violated(
      Concat({"只资助", FormatDayZh(*since), "（含）以后新建的学会服务站，本站不在此列。"}),
      Concat({"Only stations established on ", FormatDay(*since), " or later are subsidized."}));
}

// Article 5: normally operating for two full years (Civil Code, art. 201 to 203).
void TwoFullYears(const Application& q, Verdict& v) {
  const std::optional<Day> established = EstablishedOn(q.policy, Station(q));
  if (!established) {
    return v.Violated(
        "缺少建站时间，无法计算运转年限。请先补正备案登记表或建站批复。",
        "Without a day of establishment the years cannot be counted. Please correct the filing.");
  }
  v.Fact("established_on", *established)
      .Fact("suspensions", std::to_string(Station(q).suspensions_size()));
  const std::optional<Day> from = MayApplyFrom(q.policy, Station(q), q.today);
  if (!from) {
    return v.Violated(
        "学会服务站停运或已撤销，运转年限尚未满。恢复运转并登记后，将重新计算可以申报的日期。",
        "The station is suspended or closed before its years were full. Once it is resumed, the "
        "day from "
        "which it may apply is counted anew.");
  }
  v.Fact("may_apply_from", *from);
  const std::string years = std::to_string(q.policy.application().full_years());
  if (q.today >= *from) {
    return v.Satisfied(
        Concat({"建站时间", FormatDayZh(*established), "，正常运转已满", years, "年。"}),
        Concat({"Established ", FormatDay(*established), ", in operation for ", years,
                " full years."}));
  }
  v.ChangesOn(*from);
  v.Violated(Concat({"建站时间", FormatDayZh(*established), "，正常运转尚未满", years, "年。请于",
                     FormatDayZh(*from), "（含）以后申报。"}),
             Concat({"Established ", FormatDay(*established), ", not yet in operation for ", years,
                     " full years. Please apply on ", FormatDay(*from), " or later."}));
}

// Article 5.1: the host unit applies.
void ApplicantIsHost(const Application& q, Verdict& v) {
  const std::string& host = Station(q).host_unit();
  v.Fact("station.host_unit", host);
  const bool form_agrees = q.facts.form().host_unit().empty() || q.facts.form().host_unit() == host;
  if (form_agrees && Host(q).host_unit() == host) {
    return v.Satisfied("由建站单位申报。", "The host unit applies.");
  }
  v.Violated("只有本站的建站单位可以申报。请由建站单位提交；建站单位有变更的，请先更正备案。",
             "Only the station's host unit may apply. If the host has changed, please correct the "
             "filing first.");
}

// Article 5: once, so one application at a time for a station and its lineage.
void OneAtATime(const Application& q, Verdict& v) {
  if (q.facts.other_applications().empty()) {
    return v.Satisfied("没有其他在办的申请。", "No other application is under way.");
  }
  v.Fact("application", q.facts.other_applications(0));
  v.Violated(
      Concat({"本站（含更名、重建前的同一站点）已有在办的申请", q.facts.other_applications(0),
              "。请在该申请中办理，或先撤回它。"}),
      Concat({"Another application is under way for this station: ", q.facts.other_applications(0),
              ". Please go on with it, or withdraw it first."}));
}

// The subsidy year, and its round where the policy has one.
void Round(const Application& q, Verdict& v) {
  const int year = q.facts.form().subsidy_year();
  if (year == 0) return v.NotApplicable("尚未填写资助年度。", "No subsidy year is given yet.");
  Day opens(year, 1, 1), closes(year, 12, 31);
  if (const policy::v1::Round* round = policy::FindRound(q.policy, year)) {
    opens = *ParseDay(round->opens_on());
    closes = *ParseDay(round->closes_on());
  }
  v.Fact("subsidy_year", std::to_string(year)).Fact("opens_on", opens).Fact("closes_on", closes);
  if (q.today < opens) {
    v.ChangesOn(opens);
    return v.Violated(
        Concat({std::to_string(year), "年度自", FormatDayZh(opens), "起受理申报，请届时提交。"}),
        Concat({"Applications for ", std::to_string(year), " open on ", FormatDay(opens), "."}));
  }
  if (q.today > closes) {
    return v.Violated(Concat({std::to_string(year), "年度的申报已于", FormatDayZh(closes),
                              "截止。请改填下一年度申报。"}),
                      Concat({"Applications for ", std::to_string(year), " closed on ",
                              FormatDay(closes), ". Please apply for the next subsidy year."}));
  }
  v.ChangesOn(closes + 1);
  v.Satisfied(Concat({"在", std::to_string(year), "年度受理期内。"}),
              Concat({"Applications for ", std::to_string(year), " are open."}));
}

constexpr Rule<v1::ApplicationFacts> kEligibility[] = {
    {{"application.station-filed", "5.1", "application.materials",
      "CheckEligibility CheckApplication"},
     StationFiled},
    {{"application.level-subsidized", "5", "levels.subsidy_fen",
      "CheckEligibility CheckApplication"},
     LevelSubsidized},
    {{"application.newly-built", "5", "application.newly_built_from",
      "CheckEligibility CheckApplication"},
     NewlyBuilt},
    {{"application.two-full-years", "5",
      "application.full_years application.anniversary_counts application.suspensions "
      "filing.establishment_decided_by",
      "CheckEligibility CheckApplication"},
     TwoFullYears},
    {{"application.applicant-is-host", "5.1", "", "CheckEligibility CheckApplication"},
     ApplicantIsHost},
    {{"application.one-at-a-time", "5", "", "CheckEligibility CheckApplication"}, OneAtATime},
    {{"application.round", "interpretation", "application.rounds",
      "CheckEligibility CheckApplication"},
     Round},
};

void Eligibility(const Application& question, Findings* findings) {
  Judge(kEligibility, question, findings);
  JudgeStanding({question.policy, question.calendar, question.facts.standing(), question.today},
                findings);
}

}  // namespace

Findings CheckEligibility(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::ApplicationFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  Eligibility(Application{policy, calendar, facts, today}, &findings);
  return findings;
}

Findings CheckApplication(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::ApplicationFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  const Application question{policy, calendar, facts, today};
  Eligibility(question, &findings);
  JudgeApplicationForm(question, &findings);
  return findings;
}

void AppendEligibilityRules(std::vector<RuleInfo>* out) { AppendInfo(kEligibility, out); }

}  // namespace yuezhan::rules
