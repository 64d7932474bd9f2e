#include "common/rules/notice.h"

#include <algorithm>
#include <set>

#include "common/rules/internal.h"
#include "common/rules/standing.h"

namespace yuezhan::rules {
namespace {

using List = Question<v1::NoticeFacts>;
using Period = Question<v1::NoticePeriodFacts>;
using Objection = Question<v1::ObjectionFacts>;

// Article 5.3: a list with a line for each award, no station twice.
void Lines(const List& q, Verdict& v) {
  v.Fact("lines", std::to_string(q.facts.lines_size()));
  if (q.facts.lines().empty())
    return v.Violated("名单为空，没有可公示的内容。请先列入经主任会议审定的资助项目。",
                      "The list is empty.");
  std::set<std::string_view> stations;
  for (const v1::NoticeLineFacts& line : q.facts.lines()) {
    if (stations.insert(line.standing().station().station()).second) continue;
    v.Fact("station", line.standing().station().station());
    return v.Violated(
        Concat({"“", line.standing().station().display_name(), "”在名单中出现两次，请删去一行。"}),
        "A station stands on the list twice. Please remove a line.");
  }
  v.Satisfied("名单各行不重复。", "No station stands on the list twice.");
}

// Article 5.3: what is published was approved by the directors' meeting.
void Resolved(const List& q, Verdict& v) {
  for (const v1::NoticeLineFacts& line : q.facts.lines()) {
    if (line.resolution() == v1::RESOLUTION_AWARD && !line.withdrawn()) continue;
    v.Fact("case", line.case_name());
    return v.Violated(
        Concat({line.case_name(), line.withdrawn() ? "已撤回" : "未经主任会议审定给予资助",
                "，不能列入公示名单，请移出。"}),
        Concat({line.case_name(),
                line.withdrawn() ? " is withdrawn" : " has no resolution that awards it",
                " and cannot be on the list."}));
  }
  v.Satisfied("名单各行均经主任会议审定。", "Every line was approved by the directors' meeting.");
}

// Article 5.3: amounts and total are those resolved.
void Amounts(const List& q, Verdict& v) {
  int64_t total = 0;
  for (const v1::NoticeLineFacts& line : q.facts.lines()) {
    total += line.listed_amount_fen();
    if (line.listed_amount_fen() > 0 && line.listed_amount_fen() == line.resolved_amount_fen())
      continue;
    v.Fact("case", line.case_name()).Fact("listed", FormatYuan(line.listed_amount_fen()));
    return v.Violated(Concat({line.case_name(), "的公示金额应为审定金额",
                              YuanZh(line.resolved_amount_fen()), "，请改正。"}),
                      Concat({"The amount of ", line.case_name(), " must be the one resolved, ",
                              YuanEn(line.resolved_amount_fen()), "."}));
  }
  v.Fact("total", FormatYuan(q.facts.total_fen()));
  if (total == q.facts.total_fen())
    return v.Satisfied("公示金额及合计正确。", "Amounts and total are right.");
  v.Violated(Concat({"合计应为", YuanZh(total), "，请改正。"}),
             Concat({"The total must be ", YuanEn(total), "."}));
}

// Article 5.4: paid out of the special fund, so each amount is reserved in it before it is promised
// in public.
void Reserved(const List& q, Verdict& v) {
  for (const v1::NoticeLineFacts& line : q.facts.lines()) {
    if (line.reserved_amount_fen() == line.listed_amount_fen()) continue;
    v.Fact("case", line.case_name()).Fact("reserved", FormatYuan(line.reserved_amount_fen()));
    return v.Violated(Concat({line.case_name(), "的资金尚未在", q.policy.offices().fund_zh(),
                              "中足额预留，请待资金落实后公示。"}),
                      Concat({"The amount of ", line.case_name(), " is not reserved in the ",
                              q.policy.offices().fund_en(), " yet."}));
  }
  v.Satisfied("各行资金均已预留。", "Every amount is reserved in the fund.");
}

// The list says to the character what was resolved.
void LineDigests(const List& q, Verdict& v) {
  for (const v1::NoticeLineFacts& line : q.facts.lines()) {
    if (!line.listed_line_digest().empty() &&
        line.listed_line_digest() == line.resolved_line_digest())
      continue;
    v.Fact("case", line.case_name());
    return v.Violated(
        Concat({line.case_name(), "的名单内容与审定内容不一致，请按审定结果重新生成名单。"}),
        Concat({"The line of ", line.case_name(),
                " is not what was resolved. Please make the list anew."}));
  }
  v.Satisfied("名单内容与审定内容一致。", "The list is what was resolved.");
}

// Articles 5 and 6: every station still operates, no host is debarred, none was paid.
void LineStanding(const List& q, Verdict& v) {
  for (const v1::NoticeLineFacts& line : q.facts.lines()) {
    for (const Finding& finding : CheckStanding(q.policy, q.calendar, line.standing(), q.today)) {
      if (finding.outcome() != Outcome::OUTCOME_VIOLATED) continue;
      v.Fact("case", line.case_name()).Fact("rule", finding.rule_id());
      return v.Violated(Concat({line.case_name(), "不能公示：", finding.text_zh()}),
                        Concat({line.case_name(), " cannot be published: ", finding.text_en()}));
    }
  }
  v.Satisfied("名单各站均仍符合条件。", "Every station on the list still qualifies.");
}

// Article 5.4: who disagrees must know where to object.
void ObjectionChannel(const List& q, Verdict& v) {
  if (!q.facts.objection_address().empty() && !q.facts.objection_phone().empty()) {
    return v.Satisfied("已写明异议的受理地址和电话。", "The notice says where to object.");
  }
  v.Violated("公示须写明异议的受理地址和电话，请补充。",
             "The notice must say where, and under which number, to object.");
}

// The longest run of digits, blanks and hyphens inside not counted.
size_t LongestNumber(std::string_view text) {
  size_t longest = 0, digits = 0;
  for (char c : text) {
    if (c >= '0' && c <= '9') {
      longest = std::max(longest, ++digits);
    } else if (c != ' ' && c != '-') {
      digits = 0;
    }
  }
  return longest;
}

// A public list shows neither account nor mobile number. Dates, amounts and landlines (at most 12
// digits with the area code) are shorter than an account; a mobile number is told by its shape.
void NoPrivateData(const List& q, Verdict& v) {
  constexpr size_t kLongestPublic = 12;
  const std::string& text = q.facts.text();
  bool mobile = false;
  for (size_t i = 0; i + 11 <= text.size() && !mobile; ++i) {
    const auto digit = [&](size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    if (text[i] != '1' || text[i + 1] < '3' || text[i + 1] > '9' || (i > 0 && digit(i - 1)))
      continue;
    size_t end = i;
    while (digit(end)) ++end;
    mobile = end - i == 11;
  }
  v.Fact("longest_number", std::to_string(LongestNumber(text)));
  if (!mobile && LongestNumber(text) <= kLongestPublic) {
    return v.Satisfied("公示文本不含手机号码和银行账号。",
                       "The text shows neither mobile nor account numbers.");
  }
  v.Violated("公示文本中似有手机号码或银行账号，请删去后再公示。",
             "The text seems to show a mobile or account number. Please remove it.");
}

constexpr Rule<v1::NoticeFacts> kList[] = {
    {{"publication.lines", "5.3", "", "CheckPublication"}, Lines},
    {{"publication.resolved", "5.3", "", "CheckPublication"}, Resolved},
    {{"publication.amounts", "5.3", "", "CheckPublication"}, Amounts},
    {{"publication.reserved", "5.4", "offices.fund_zh", "CheckPublication"}, Reserved},
    {{"publication.line-digests", "5.3", "", "CheckPublication"}, LineDigests},
    {{"publication.standing", "5", "", "CheckPublication"}, LineStanding},
    {{"publication.objection-channel", "5.4", "", "CheckPublication"}, ObjectionChannel},
    {{"publication.no-private-data", "interpretation", "", "CheckPublication"}, NoPrivateData},
};

// A notice withdrawn runs no more.
void PeriodNotWithdrawn(const Period& q, Verdict& v) {
  if (!q.facts.withdrawn()) return v.Satisfied("公示未撤回。", "The notice is not withdrawn.");
  v.Violated("本公示已撤回，须重新公示。", "The notice was withdrawn and must be issued anew.");
}

// Article 5.3: on all the sites of the policy.
void Sites(const Period& q, Verdict& v) {
  std::vector<std::string_view> missing_zh, missing_en;
  for (const policy::v1::NoticeSite& site : q.policy.notice().sites()) {
    const auto& postings = q.facts.postings();
    if (std::any_of(postings.begin(), postings.end(), [&](const auto& posting) {
          const std::optional<Day> live = DayFromProto(posting.live_on());
          return posting.site() == site.code() && live && *live <= q.today;
        })) {
      continue;
    }
    v.Fact("missing_site", site.code());
    missing_zh.push_back(site.name_zh());
    missing_en.push_back(site.name_en());
  }
  if (missing_zh.empty())
    return v.Satisfied("已在规定的各网站公示。", "The notice is on every site.");
  v.Violated(Concat({"尚未在", ListZh(missing_zh),
                     "公示；各网站均上线后公示期才开始。请尽快发布并登记。"}),
             Concat({"Not yet on: ", ListEn(missing_en),
                     ". The period begins when the last site is live."}));
}

// Article 5.3: each site shows the list that was resolved.
void PostedContent(const Period& q, Verdict& v) {
  for (const v1::PostingFacts& posting : q.facts.postings()) {
    if (posting.list_digest() == q.facts.list_digest()) continue;
    v.Fact("site", posting.site());
    return v.Violated(
        Concat({"网站“", posting.site(), "”所登内容与公示名单不一致，请更正；公示期须重新计算。"}),
        Concat({"The site ", posting.site(),
                " shows another list. Please correct it; the period runs anew."}));
  }
  v.Satisfied("各网站所登内容与公示名单一致。", "Every site shows the list.");
}

// The Civil Code's way of counting, by the State Council's working days: over after 24:00 of the
// last day.
void RunOut(const Period& q, Verdict& v) {
  const std::optional<NoticePeriod> period = NoticePeriodOf(q.policy, q.calendar, q.facts);
  const std::string days = std::to_string(q.policy.notice().working_days());
  if (!period) {
    return v.Violated(
        Concat({"公示期（", days, "个工作日）尚未连续完成：有网站未上线或中断。请恢复公示。"}),
        Concat(
            {"The period of ", days, " working days is not running: a site is missing or down."}));
  }
  v.Fact("published_on", period->published_on).Fact("first_counted_day", period->first_counted_day);
  v.Fact("last_day", period->last_day).Fact("calendar", period->calendar_digest);
  if (q.today > period->last_day) {
    return v.Satisfied(Concat({"公示期（", FormatDayZh(period->first_counted_day), "至",
                               FormatDayZh(period->last_day), "）已满", days, "个工作日。"}),
                       Concat({"The period ran out: ", FormatDay(period->first_counted_day), " to ",
                               FormatDay(period->last_day), "."}));
  }
  v.ChangesOn(period->last_day + 1);
  v.Violated(Concat({"公示期自", FormatDayZh(period->first_counted_day), "至",
                     FormatDayZh(period->last_day), "，共", days,
                     "个工作日，末日24时届满；届满前不能拨付。"}),
             Concat({"The period runs from ", FormatDay(period->first_counted_day),
                     " to the end of ", FormatDay(period->last_day), "."}));
}

// No period is closed on days that no notice of the State Council has decided.
void CalendarKnown(const Period& q, Verdict& v) {
  const std::optional<NoticePeriod> period = NoticePeriodOf(q.policy, q.calendar, q.facts);
  if (!period) return v.NotApplicable("公示期尚未起算。", "The period does not run yet.");
  v.Fact("last_day", period->last_day);
  if (!period->provisional)
    return v.Satisfied("公示期内的工作日均有国务院放假通知为据。",
                       "Every day of the period is decided by a notice of the State Council.");
  v.Violated(
      "公示期跨入尚未公布放假安排的时段，截止日为暂定。请在国务院办公厅通知公布后更新日历，再结束公"
      "示。",
      "The period reaches days whose working days are not published yet; its last day is "
      "provisional. Load the new "
      "calendar before it is closed.");
}

constexpr Rule<v1::NoticePeriodFacts> kPeriod[] = {
    {{"notice.not-withdrawn", "5.3", "", "NoticeHasRunOut CheckPayment"}, PeriodNotWithdrawn},
    {{"notice.sites", "5.3", "notice.sites", "NoticeHasRunOut CheckPayment"}, Sites},
    {{"notice.content", "5.3", "", "NoticeHasRunOut CheckPayment"}, PostedContent},
    {{"notice.period", "5.3", "notice.working_days notice.count_first_day notice.interruption",
      "NoticeHasRunOut CheckPayment"},
     RunOut},
    {{"notice.calendar", "interpretation", "notice.working_days", "NoticeHasRunOut CheckPayment"},
     CalendarKnown},
};

// A written objection that says what it objects to.
void ObjectionWritten(const Objection& q, Verdict& v) {
  if (q.facts.written())
    return v.Satisfied("异议以书面提出，事由明确。", "The objection is written and says why.");
  v.Violated("异议应以书面形式提出并说明事由，请补充书面材料。",
             "An objection is made in writing and says why. Please put it in writing.");
}

// By a person under the real name with a contact, or a unit under its seal; others are kept as
// leads.
void ObjectorKnown(const Objection& q, Verdict& v) {
  v.Fact("kind", v1::ObjectorKind_Name(q.facts.kind()));
  switch (q.facts.kind()) {
    case v1::OBJECTOR_KIND_PERSON:
      if (q.facts.named() && q.facts.contact_given())
        return v.Satisfied("实名并留有联系方式。", "Under the real name, with a contact.");
      return v.Violated("个人提出异议应署真实姓名并留联系方式，请补充。",
                        "A person objects under the real name and leaves a contact.");
    case v1::OBJECTOR_KIND_UNIT:
      if (q.facts.named() && q.facts.sealed())
        return v.Satisfied("以单位名义提出并加盖公章。", "By a unit, under its seal.");
      return v.Violated("单位提出异议应加盖公章，请补盖。", "A unit objects under its seal.");
    default:
      v.Wrong(!q.policy.notice().anonymous_objection_holds(),
              "匿名反映作为线索留存，不影响公示结果；愿意实名的，可在公示期内补充姓名和联系方式。",
              "An anonymous objection is kept as a lead and holds nothing. Within the period a "
              "name can be added.");
  }
}

// Article 5.4: what counts is the day of receipt.
void ObjectionInTime(const Objection& q, Verdict& v) {
  const std::optional<Day> received = DayFromProto(q.facts.received_on());
  const std::optional<NoticePeriod> period = NoticePeriodOf(q.policy, q.calendar, q.facts.period());
  v.Fact("received_on", received);
  if (!received || *received > q.today)
    return v.Violated("请登记收到异议的日期。", "Please record the day of receipt.");
  if (!period || period->provisional || *received <= period->last_day) {
    return v.Satisfied("在公示期内收到。", "Received within the period.");
  }
  v.Fact("last_day", period->last_day);
  v.Violated(Concat({"公示期已于", FormatDayZh(period->last_day),
                     "24时届满，本异议逾期收到，将另行答复，不影响公示结果。"}),
             Concat({"The period ended with ", FormatDay(period->last_day),
                     "; a late objection is answered as late and holds nothing."}));
}

constexpr Rule<v1::ObjectionFacts> kObjection[] = {
    {{"objection.in-time", "5.4", "notice.working_days", "CheckObjection"}, ObjectionInTime},
    {{"objection.written", "interpretation", "", "CheckObjection"}, ObjectionWritten},
    {{"objection.objector-known", "interpretation", "notice.anonymous_objection_holds",
      "CheckObjection"},
     ObjectorKnown},
};

}  // namespace

Findings CheckPublication(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::NoticeFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(std::size(kList));
  Judge(kList, List{policy, calendar, facts, today}, &findings);
  return findings;
}

Findings NoticeHasRunOut(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                         const v1::NoticePeriodFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(std::size(kPeriod));
  Judge(kPeriod, Period{policy, calendar, facts, today}, &findings);
  return findings;
}

Findings CheckObjection(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                        const v1::ObjectionFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(std::size(kObjection));
  Judge(kObjection, Objection{policy, calendar, facts, today}, &findings);
  return findings;
}

void AppendNoticeRules(std::vector<RuleInfo>* out) {
  AppendInfo(kList, out);
  AppendInfo(kPeriod, out);
  AppendInfo(kObjection, out);
}

}  // namespace yuezhan::rules
