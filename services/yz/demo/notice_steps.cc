// Public notice on three sites for five working days, and the statement of its result: article 5.3.
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

std::string DayZh(const google::type::Date& date) {
  const std::optional<yuezhan::Day> day = DayFromProto(date);
  return day.has_value() ? FormatDayZh(*day) : "未定";
}

absl::StatusOr<std::string> Issue(Stage& stage) {
  review::v1::IssueNoticeRequest request;
  for (const DemoStation* station : Awarded(stage)) {
    request.add_cases(stage.names[station->key].review_case);
  }
  request.set_objection_address(stage.scenario.objection_address);
  request.set_objection_phone(stage.scenario.objection_phone);
  YZ_ASSIGN_OR_RETURN(
      const auto notice,
      stage.Call<review::v1::Notice>(stage.Person("secretary"), "review", "IssueNotice", request));
  stage.notice = notice.name();
  return absl::StrCat("名单", notice.lines_size(), "家，合计", Yuan(notice.total_amount()));
}

absl::StatusOr<std::string> Post(Stage& stage, size_t index) {
  review::v1::GetNoticeRequest get;
  get.set_name(stage.notice);
  YZ_ASSIGN_OR_RETURN(
      const auto issued,
      stage.Call<review::v1::Notice>(stage.Person("secretary"), "review", "GetNotice", get));
  review::v1::RecordPostingRequest request;
  request.set_name(stage.notice);
  *request.mutable_posting() = stage.scenario.sites[index];
  request.mutable_posting()->mutable_live_time()->set_seconds(
      absl::ToUnixSeconds(stage.Day("notice")));
  request.mutable_posting()->set_list_digest(issued.list_digest());
  YZ_ASSIGN_OR_RETURN(const auto notice, stage.Call<review::v1::Notice>(
                                             stage.Person("secretary"), "review", "RecordPosting",
                                             request, stage.scenario.sites[index].site()));
  if (!notice.has_last_day()) return std::string("已发布");
  return absl::StrCat("三个网站均已发布，公示期", DayZh(notice.first_day()), "至",
                      DayZh(notice.last_day()), "（5个工作日）");
}

absl::StatusOr<std::string> AwaitEnd(Stage& stage) {
  review::v1::GetNoticeRequest request;
  request.set_name(stage.notice);
  request.set_wait_ms(2000);
  request.set_wait_for_state(review::v1::NOTICE_STATE_ENDED);
  YZ_ASSIGN_OR_RETURN(
      const auto notice,
      stage.Await<review::v1::Notice>(stage.Person("secretary"), "review", "GetNotice", request,
                                      [](const review::v1::Notice& answer) {
                                        return answer.state() >= review::v1::NOTICE_STATE_ENDED;
                                      }));
  return absl::StrCat(DayZh(notice.last_day()), "24时届满");
}

absl::StatusOr<std::string> Sign(Stage& stage, const std::string& person,
                                 review::v1::Office office) {
  review::v1::SignNoticeResultRequest request;
  request.set_name(stage.notice);
  request.set_office(office);
  YZ_ASSIGN_OR_RETURN(const auto notice,
                      stage.Call<review::v1::Notice>(stage.Person(person), "review",
                                                     "SignNoticeResult", request, person));
  return std::string(notice.state() == review::v1::NOTICE_STATE_CONCLUDED
                         ? "两单位均已签署，无异议的转入拨付"
                         : "已签署");
}

}  // namespace

void AddNotice(Stage& stage, std::vector<DemoStep>* steps) {
  AddDay(stage, "notice", "公示", steps);
  steps->push_back({"IssueNotice", "5.3", stage.Person("secretary").name, "发布资助名单公示",
                    [&stage] { return Issue(stage); }});
  for (size_t i = 0; i < stage.scenario.sites.size(); ++i) {
    steps->push_back({absl::StrCat("RecordPosting-", stage.scenario.sites[i].site()), "5.3",
                      stage.Person("secretary").name,
                      absl::StrCat("登记网站发布 ", stage.scenario.sites[i].url()),
                      [&stage, i] { return Post(stage, i); }});
  }
}

void AddNoticeResult(Stage& stage, std::vector<DemoStep>* steps) {
  AddDay(stage, "after-notice", "国庆假期不计，10月10日（周六，上班）计入", steps);
  steps->push_back(
      {"NoticeEnded", "5.3", "审核服务", "公示期自行届满", [&stage] { return AwaitEnd(stage); }});
  steps->push_back({"SignNoticeResult-association", "5.4", stage.Person("review-head").name,
                    "代表市科协签署公示结果说明", [&stage] {
                      return Sign(stage, "review-head", review::v1::OFFICE_ASSOCIATION);
                    }});
  steps->push_back({"SignNoticeResult-talent-office", "5.4", stage.Person("secretary").name,
                    "代表市委人才办签署公示结果说明", [&stage] {
                      return Sign(stage, "secretary", review::v1::OFFICE_TALENT_OFFICE);
                    }});
}

}  // namespace yuezhan::yz
