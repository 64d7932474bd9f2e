#include "services/review/notice_text.h"

#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/policy/policy.h"

namespace yuezhan::review {
namespace {

std::string SiteNames(const policy::v1::Policy& policy) {
  std::string names;
  for (const auto& site : policy.notice().sites())
    absl::StrAppend(&names, names.empty() ? "" : "、", site.name_zh());
  return names;
}

std::string Yuan(const google::type::Money& money) { return FormatYuan(FenOf(money).value_or(0)); }

std::string List(const policy::v1::Policy& policy, const v1::Notice& notice) {
  std::string list = "序号\t站名\t级别\t建站学会\t建站单位\t金额（元）\n";
  for (const v1::AwardLine& line : notice.lines()) {
    const auto* level = policy::FindLevel(policy, line.level());
    absl::StrAppend(&list, line.number(), "\t", line.station_name(), "\t",
                    level == nullptr ? "" : level->name_zh(), "\t", line.society_name(), "\t",
                    line.host_name(), "\t", Yuan(line.amount()), "\n");
  }
  absl::StrAppend(&list, "合计\t\t\t\t\t", Yuan(notice.total_amount()), "\n");
  return list;
}

}  // namespace

std::string NoticeText(const Rules& rules, const v1::Notice& notice,
                       const rules::NoticePeriod& planned) {
  const policy::v1::Policy& policy = rules.policy;
  const auto& offices = policy.offices();
  const std::string days = absl::StrCat(policy.notice().working_days(), "个工作日");
  const std::string first_rule = policy.notice().count_first_day()
                                     ? "自最后一个网站发布之日起计算"
                                     : "自最后一个网站发布之日的次日起计算";
  std::string text = absl::StrCat("关于", offices.city_zh(), "新建学会服务站资助名单的公示\n\n");
  absl::StrAppend(&text, "根据《", policy.document().title_zh(), "》（", policy.document().number(),
                  "）规定，经建站单位申报、", offices.association_short_zh(), "考核认定并初审、",
                  offices.talent_office_short_zh(),
                  "主任会议审定，拟对下列学会服务站给予一次性资助，资金从", offices.fund_zh(),
                  "中列支。现予公示。\n\n");
  absl::StrAppend(&text, List(policy, notice), "\n");
  absl::StrAppend(&text, "公示网站：", SiteNames(policy), "。\n");
  absl::StrAppend(
      &text, "公示期：", days, "，", first_rule, "。各网站均于", FormatDayZh(planned.published_on),
      "发布的，公示期为", FormatDayZh(planned.first_counted_day), "至",
      FormatDayZh(planned.last_day), "，末日24时届满；发布日期晚于上述日期的，公示期相应顺延",
      planned.provisional ? "；截止日以国务院办公厅节假日安排公布后的计算为准" : "", "。\n");
  absl::StrAppend(
      &text,
      "对公示内容有异议的，请在公示期满前以书面形式提出，并说明事由。个人应署真实姓名并留联系方式，"
      "单位应加盖公章；匿名反映作为线索留存。异议以收到之日为准，异议人信息依法保密。\n");
  absl::StrAppend(&text, "异议受理地址：", notice.objection_address(), "\n");
  absl::StrAppend(&text, "异议受理电话：", notice.objection_phone(), "\n\n");
  absl::StrAppend(&text, offices.talent_office_zh(), "\n", offices.association_zh(), "\n",
                  FormatDayZh(rules.today), "\n");
  return text;
}

}  // namespace yuezhan::review
