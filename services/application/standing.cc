// Where an application stands, what comes next, by whom and by when: one view for the applicant,
// whoever owns the step.
#include <algorithm>
#include <optional>

#include "common/base/clocks.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/rpc/client.h"
#include "services/application/handlers.h"

namespace yuezhan::application {
namespace {

// Changes of state that are kept; more than a case has in years.
constexpr int kMaxHistory = 100;
// What a look at an application may wait for review's notice; without it there is no due day.
constexpr absl::Duration kNoticeWait = absl::Milliseconds(500);

enum class Owner { kNobody, kHost, kAssociation, kTalentOffice, kOffices };

struct NextStep {
  Owner owner;
  std::string_view zh;
  std::string_view en;
};

NextStep NextStepOf(const v1::Application& application) {
  if (application.withdrawal_requested()) {
    return {Owner::kTalentOffice, "已申请撤回，待审核方决定。",
            "Withdrawal was requested; the review decides."};
  }
  switch (application.state()) {
    case v1::APPLICATION_STATE_DRAFT:
      return {Owner::kHost, "建站单位填报申请表、上传材料后提交。",
              "The host unit completes form and materials and submits."};
    case v1::APPLICATION_STATE_SUBMITTED:
      return {Owner::kAssociation, "市科协受理并开始审核。", "The association opens its review."};
    case v1::APPLICATION_STATE_RETURNED:
      return {Owner::kHost, "建站单位逐条补正后重新提交。",
              "The host unit corrects each point and submits again."};
    case v1::APPLICATION_STATE_WITHDRAWN:
      return {Owner::kNobody, "已撤回，可另行申报。",
              "Withdrawn; another application may be made."};
    case v1::APPLICATION_STATE_UNDER_REVIEW:
      return {Owner::kAssociation, "市科协考核认定并提出初审意见。",
              "The association assesses and gives its preliminary opinion."};
    case v1::APPLICATION_STATE_ASSESSED:
      if (application.has_opinion_time()) {
        return {Owner::kTalentOffice, "初审同意，待市委人才办主任会议审定。",
                "Recommended by the preliminary opinion; the directors' meeting decides."};
      }
      return {Owner::kAssociation, "市科协提出初审意见，报市委人才办主任会议审定。",
              "The preliminary opinion goes to the directors' meeting."};
    case v1::APPLICATION_STATE_AWARDED:
      return {Owner::kTalentOffice, "资助名单和金额将予公示。",
              "The award will be published on the list."};
    case v1::APPLICATION_STATE_REFUSED:
      return {Owner::kNobody, "未予资助，理由见上；条件具备后可另行申报。",
              "Refused, for the reason given; another application may be made once it is met."};
    case v1::APPLICATION_STATE_IN_NOTICE:
      return {Owner::kOffices, "公示期满并作出公示结果说明后办理拨付。",
              "After the notice period and the statement of its result it goes to payment."};
    case v1::APPLICATION_STATE_OBJECTED:
      return {Owner::kOffices, "公示期间收到异议，核查后由主任会议议定。",
              "An objection was received: it is examined and the meeting resolves."};
    case v1::APPLICATION_STATE_CLEARED:
      return {Owner::kTalentOffice, "市委人才办办理资助资金拨付。",
              "The talent office arranges the payment."};
    case v1::APPLICATION_STATE_PAID:
      return {Owner::kHost, "资金已拨付。建站单位开具收据，并按期报告使用情况。",
              "Paid. The host unit gives a receipt and reports on the use of the money."};
    case v1::APPLICATION_STATE_CANCELLED:
      return {Owner::kNobody, "资助已取消，理由见上。",
              "The award was cancelled, for the reason given."};
    default:
      return {Owner::kNobody, "", ""};
  }
}

void NameOwner(const policy::v1::Offices& offices, Owner owner, v1::Application* application) {
  const std::string both_zh =
      Concat({offices.association_short_zh(), "、", offices.talent_office_short_zh()});
  const std::string both_en = Concat({offices.association_en(), ", ", offices.talent_office_en()});
  switch (owner) {
    case Owner::kNobody:
      return;
    case Owner::kHost:
      application->set_next_step_owner_zh(application->host_name());
      return application->set_next_step_owner_en("host unit");
    case Owner::kAssociation:
      application->set_next_step_owner_zh(offices.association_short_zh());
      return application->set_next_step_owner_en(offices.association_en());
    case Owner::kTalentOffice:
      application->set_next_step_owner_zh(offices.talent_office_short_zh());
      return application->set_next_step_owner_en(offices.talent_office_en());
    case Owner::kOffices:
      application->set_next_step_owner_zh(both_zh);
      return application->set_next_step_owner_en(both_en);
  }
}

// By the policy's own times; nothing where it sets none.
std::optional<Day> DueDay(const Rules& rules, const v1::Application& application) {
  const policy::v1::Policy& policy = rules.policy;
  const Day since = BeijingDay(FromProto(application.state_time()));
  const auto working = [&](Day from, int days) {
    return rules.calendar->AddWorkingDays(from, days).day;
  };
  switch (application.state()) {
    case v1::APPLICATION_STATE_SUBMITTED:
    case v1::APPLICATION_STATE_UNDER_REVIEW:
    case v1::APPLICATION_STATE_ASSESSED:
      if (application.has_opinion_time() || application.withdrawal_requested()) return std::nullopt;
      return working(BeijingDay(FromProto(application.submit_time())),
                     policy.review().opinion_working_days());
    case v1::APPLICATION_STATE_RETURNED:
      return working(since, policy.application().correction_working_days());
    case v1::APPLICATION_STATE_OBJECTED:
      return working(since, policy.notice().objection_acceptance_working_days() +
                                policy.notice().objection_examination_working_days());
    case v1::APPLICATION_STATE_PAID:
      return since + policy.payment().receipt_due_days();
    default:
      return std::nullopt;
  }
}

}  // namespace

void EnterState(absl::Time time, v1::Application* application) {
  *application->mutable_state_time() = ToProto(time);
  auto& history = *application->mutable_history();
  if (history.size() == kMaxHistory) history.DeleteSubrange(0, 1);
  v1::StateChange* change = history.Add();
  change->set_state(application->state());
  *change->mutable_time() = application->state_time();
}

void AddNextStep(const Rules& rules, v1::Application* application) {
  const NextStep step = NextStepOf(*application);
  application->set_next_step_zh(std::string(step.zh));
  application->set_next_step_en(std::string(step.en));
  application->clear_next_step_owner_zh();
  application->clear_next_step_owner_en();
  application->clear_next_step_due();
  NameOwner(rules.policy.offices(), step.owner, application);
  const auto due = DueDay(rules, *application);
  if (due) *application->mutable_next_step_due() = DayToProto(*due);
}

void Handlers::AddNoticesEnd(const Context& context, v1::Application* application) const {
  if (application->state() != v1::APPLICATION_STATE_IN_NOTICE || application->notice().empty())
    return;
  Context hurried = context;
  hurried.deadline = std::min(context.deadline, WallNow() + kNoticeWait);
  review::v1::GetNoticeRequest request;
  request.set_name(application->notice());
  review::v1::Notice notice;
  const absl::Status status =
      review_.Call("yuezhan.review.v1.ReviewService/GetNotice", request, &notice,
                   rpc::CallOptions::Within(hurried));
  if (status.ok() && notice.has_last_day())
    *application->mutable_next_step_due() = notice.last_day();
}

}  // namespace yuezhan::application
