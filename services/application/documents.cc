#include "common/documents/documents.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/policy/policy.h"
#include "common/rpc/client.h"
#include "common/rules/amount_words.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"

namespace yuezhan::embedded {
extern const char kApplicationFormHtml[];
extern const char kCorrectionNoticeHtml[];
extern const char kCaseFileIndexHtml[];
}  // namespace yuezhan::embedded

namespace yuezhan::application {
namespace {

using documents::Template;
using documents::Values;

constexpr std::string_view kFormTitle = "国家级/省级学会服务站建站资助申请表";
constexpr Template kApplicationForm{"application-form", kFormTitle, embedded::kApplicationFormHtml};
constexpr Template kCorrectionNotice{"correction-notice", "补正告知书",
                                     embedded::kCorrectionNoticeHtml};
constexpr Template kCaseFileIndex{"case-file-index", "卷内目录", embedded::kCaseFileIndexHtml};

// Where a date is written by hand.
constexpr std::string_view kBlankDate = "　　年　　月　　日";

// "SQB-2026-0123456789AB": kind, subsidy year, the last, random part of the application's id.
std::string Number(std::string_view kind, const v1::Application& application) {
  const std::string& name = application.name();
  return absl::StrCat(Abs(kind), "-", application.form().subsidy_year(), "-",
                      absl::AsciiStrToUpper(name.substr(name.size() - 12)));
}

std::string NoticeNumber(const v1::Application& application, int submission) {
  return absl::StrCat(Number("BZ", application), "-", submission);
}

std::string DayOf(const google::protobuf::Timestamp& time) {
  return FormatDayZh(BeijingDay(FromProto(time)));
}

std::string DayOf(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  return day ? FormatDayZh(*day) : "";
}

// As an index has it.
std::string IsoDay(const google::protobuf::Timestamp& time) {
  return FormatDay(BeijingDay(FromProto(time)));
}

std::string IsoDay(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  return day ? FormatDay(*day) : "";
}

std::string LevelName(const policy::v1::Policy& policy, common::v1::StationLevel level) {
  const auto* row = policy::FindLevel(policy, level);
  return row == nullptr ? "" : row->name_zh();
}

// Annex 1 as its host hands it in: without what the offices write on it later.
Values FormValues(const policy::v1::Policy& policy, const rules::v1::ApplicationFormFacts& form,
                  std::string_view host_name) {
  std::vector<Values> levels;
  for (const auto& level : policy.levels()) {
    // Article 5: those that are subsidized.
    if (level.subsidy_fen() == 0) continue;
    levels.push_back(Values()
                         .Text("name", level.name_zh())
                         .Text("box", documents::Box(level.level() == form.category())));
  }
  // The form prints 元 itself; an amount that is no whole number of yuan stands as it was written.
  const std::string words = rules::AmountWordsBeforeYuan(form.requested_amount_fen());
  return Values()
      .Text("station_name", form.station_name())
      .List("levels", std::move(levels))
      .Text("year", std::to_string(form.subsidy_year()))
      .Text("amount", FormatYuan(form.requested_amount_fen()))
      .Text("words", words.empty() ? form.requested_amount_words() : words)
      .Text("host_name", host_name)
      .Text("holder", form.account().holder())
      .Text("bank", form.account().bank())
      .Text("account", form.account().number())
      .Paragraphs("main_content", form.main_content())
      .Text("association", policy.offices().association_zh())
      .Paragraphs("association_opinion", "")
      .Text("association_date", kBlankDate)
      .Text("talent_office", policy.offices().talent_office_zh())
      .Paragraphs("talent_office_opinion", "")
      .Text("talent_office_date", kBlankDate);
}

std::string AssociationsOpinion(const policy::v1::Policy& policy, const review::v1::Case& of_case) {
  const auto& opinion = of_case.opinion();
  if (opinion.approved_by().empty()) return "";
  switch (opinion.recommendation()) {
    case rules::v1::RECOMMENDATION_AWARD:
      return absl::StrCat("经考核认定合格，初审同意，报请",
                          policy.offices().talent_office_short_zh(), "主任会议审定。",
                          opinion.reason());
    case rules::v1::RECOMMENDATION_REFUSE:
      return absl::StrCat("经初审，不予通过。理由：", opinion.reason());
    default:
      return "";
  }
}

// The meeting's own words where it gave some.
std::string MeetingsOpinion(const review::v1::Case& of_case, const review::v1::Meeting& meeting) {
  if (meeting.state() != review::v1::MEETING_STATE_CLOSED) return "";
  for (const auto& item : meeting.items()) {
    if (item.case_name() != of_case.name() || item.opinion_text().empty()) continue;
    return item.opinion_text();
  }
  switch (of_case.resolution()) {
    case rules::v1::RESOLUTION_AWARD:
      return absl::StrCat("经主任会议审定，同意给予一次性资助人民币",
                          rules::AmountWords(FenOf(of_case.awarded_amount()).value_or(0)), "。");
    case rules::v1::RESOLUTION_REFUSE:
      return "经主任会议审定，不予资助。";
    default:
      return "";
  }
}

// Rows of the index, numbered as they are added.
class IndexRows {
 public:
  void Add(std::string_view document_number, std::string_view author, std::string_view title,
           std::string_view date, std::string_view remark = "") {
    rows_.push_back(Values()
                        .Text("number", std::to_string(rows_.size() + 1))
                        .Text("file_number", document_number)
                        .Text("author", author)
                        .Text("title", title)
                        .Text("date", date)
                        .Text("remark", remark));
  }
  std::vector<Values> Take() { return std::move(rows_); }

 private:
  std::vector<Values> rows_;
};

void AddMaterials(const policy::v1::Policy& policy, const v1::Application& application,
                  const v1::Submission& submission, std::set<std::string>* listed,
                  IndexRows* rows) {
  for (const v1::Material& material : submission.materials()) {
    if (!listed->insert(material.name()).second) continue;
    const auto* kind = policy::FindMaterial(policy, material.code());
    const std::string title = kind == nullptr ? material.file_name() : kind->name_zh();
    const auto& reply = submission.facts().standing().station().approval_reply();
    const std::string remark = absl::StrCat("第", submission.number(), "次提交");
    if (material.code() == "approval-reply") {
      rows->Add(reply.number(), reply.issuer(), title, IsoDay(reply.date()), remark);
    } else {
      rows->Add(material.form_number(), application.host_name(), title,
                IsoDay(material.create_time()), remark);
    }
  }
}

void AddReview(const policy::v1::Policy& policy, const v1::Application& application,
               const review::v1::Case& of_case, const review::v1::Meeting& meeting,
               IndexRows* rows) {
  const auto& offices = policy.offices();
  if (of_case.has_assessment()) {
    rows->Add("", offices.association_zh(), "考核认定表",
              IsoDay(of_case.assessment().assessed_on()));
  }
  if (of_case.inspection().has_done_on()) {
    rows->Add("", offices.association_zh(), "现场考察记录表",
              IsoDay(of_case.inspection().done_on()));
  }
  if (!of_case.opinion().approved_by().empty() && application.has_opinion_time()) {
    rows->Add("", offices.association_zh(), "初审意见表", IsoDay(application.opinion_time()));
  }
  if (meeting.state() == review::v1::MEETING_STATE_CLOSED) {
    rows->Add(meeting.facts().minutes_number(), offices.talent_office_zh(), "主任会议纪要（摘录）",
              IsoDay(meeting.facts().held_on()));
  }
  const auto since = [&](v1::ApplicationState state) -> std::string {
    for (const v1::StateChange& change : application.history()) {
      if (change.state() == state) return IsoDay(change.time());
    }
    return "";
  };
  if (!application.notice().empty()) {
    rows->Add("", absl::StrCat(offices.talent_office_zh(), "、", offices.association_zh()),
              "资助名单公示", since(v1::APPLICATION_STATE_IN_NOTICE));
  }
  if (!application.payment().empty()) {
    rows->Add("", offices.talent_office_zh(), "资助资金拨付凭证",
              since(v1::APPLICATION_STATE_PAID));
  }
}

}  // namespace

common::v1::PrintedDocument PrintedForm(const policy::v1::Policy& policy,
                                        const v1::Application& application) {
  common::v1::PrintedDocument form;
  form.set_number(Number("SQB", application));
  const auto facts = FormFactsOf(application, application.account());
  form.set_digest(documents::DigestOf(kApplicationForm, form.number(),
                                      FormValues(policy, facts, application.host_name())));
  return form;
}

absl::StatusOr<Handlers::ReviewsView> Handlers::ViewOfReview(
    const Context& context, const v1::Application& application) const {
  ReviewsView view;
  if (application.review_case().empty()) return view;
  const auto ask = [&](std::string_view method, const google::protobuf::Message& request,
                       google::protobuf::Message* answer) {
    const absl::Status status =
        review_.Call(Concat({"yuezhan.review.v1.ReviewService/", method}), request, answer,
                     rpc::CallOptions::Within(context));
    if (status.ok() || absl::IsDeadlineExceeded(status)) return status;
    return errors::Unavailable("review");
  };
  review::v1::GetCaseRequest case_request;
  case_request.set_name(application.review_case());
  YZ_RETURN_IF_ERROR(ask("GetCase", case_request, &view.of_case));
  if (view.of_case.meeting().empty()) return view;
  review::v1::GetMeetingRequest meeting_request;
  meeting_request.set_name(view.of_case.meeting());
  YZ_RETURN_IF_ERROR(ask("GetMeeting", meeting_request, &view.meeting));
  return view;
}

absl::Status Handlers::PrintDocument(Context& context, const v1::PrintDocumentRequest& request,
                                     common::v1::PrintedDocument* answer) {
  const absl::Time now = journal_.clocks().business->Now();
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", request.name()));
  v1::Application application;
  std::vector<v1::Submission> submissions;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(application, Visible(sql, context.caller, request.name(), false));
        if (application.submissions() > 0) {
          YZ_ASSIGN_OR_RETURN(submissions, store_.Submissions(sql, id));
        }
        return absl::OkStatus();
      }));
  if (request.submission() > static_cast<int>(submissions.size())) {
    return errors::InvalidField("submission", "没有这次提交", "there is no such submission");
  }
  // What was submitted is printed under the policy of that day; a form that is still being filled
  // in, the first time or after a return, under today's, by which it will be judged.
  const bool draft = request.kind() == v1::DOCUMENT_KIND_APPLICATION_FORM &&
                     request.submission() == 0 &&
                     application.state() == v1::APPLICATION_STATE_RETURNED;
  const size_t number = request.submission() > 0 ? static_cast<size_t>(request.submission())
                        : draft                  ? 0
                                                 : submissions.size();
  YZ_ASSIGN_OR_RETURN(
      const Rules rules,
      number == 0
          ? rulebook_.At(now)
          : rulebook_.Of(BeijingDay(FromProto(submissions[number - 1].submit_time())), now));
  switch (request.kind()) {
    case v1::DOCUMENT_KIND_APPLICATION_FORM:
      return PrintForm(context, rules, application, submissions, request.submission(), answer);
    case v1::DOCUMENT_KIND_CORRECTION_NOTICE:
      return PrintCorrectionNotice(rules, application, submissions, request.submission(), answer);
    case v1::DOCUMENT_KIND_CASE_FILE_INDEX:
      return PrintCaseFileIndex(context, rules, application, submissions, answer);
    default:
      return errors::InvalidField("kind", "没有这种文书", "there is no such document");
  }
}

absl::Status Handlers::PrintForm(const Context& context, const Rules& rules,
                                 const v1::Application& application,
                                 const std::vector<v1::Submission>& submissions, int number,
                                 common::v1::PrintedDocument* answer) const {
  rules::v1::ApplicationFormFacts form = FormFactsOf(application, application.account());
  std::string host_name = application.host_name();
  if (number > 0) {
    const auto& facts = submissions[static_cast<size_t>(number - 1)].facts();
    form = facts.form();
    host_name = facts.standing().host().display_name();
  }
  Values values = FormValues(rules.policy, form, host_name);
  // The offices' words are on the submission that they decided on, the last.
  const bool decided = number == application.submissions() ||
                       (number == 0 && application.state() != v1::APPLICATION_STATE_RETURNED);
  if (decided) {
    YZ_ASSIGN_OR_RETURN(const ReviewsView review, ViewOfReview(context, application));
    const std::string opinion = AssociationsOpinion(rules.policy, review.of_case);
    if (!opinion.empty()) {
      values.Paragraphs("association_opinion", opinion);
      if (application.has_opinion_time())
        values.Text("association_date", DayOf(application.opinion_time()));
    }
    const std::string resolution = MeetingsOpinion(review.of_case, review.meeting);
    if (!resolution.empty()) {
      values.Paragraphs("talent_office_opinion", resolution)
          .Text("talent_office_date", DayOf(review.meeting.facts().held_on()));
    }
  }
  return documents::Print(kApplicationForm, Number("SQB", application), values, answer);
}

absl::Status Handlers::PrintCorrectionNotice(const Rules& rules, const v1::Application& application,
                                             const std::vector<v1::Submission>& submissions,
                                             int number,
                                             common::v1::PrintedDocument* answer) const {
  const int last = application.submissions();
  const bool returned = application.state() == v1::APPLICATION_STATE_RETURNED;
  if (number == 0) number = returned ? last : last - 1;
  const bool open = number == last && returned;
  if (number < 1 || (number == last && !returned)) {
    return errors::StateForbids(application.name(),
                                ApplicationTransitions().StateName(application.state()),
                                {"RETURNED"}, "");
  }
  // What a return said is kept by the submission that answers it.
  const auto& next = open ? v1::Submission::default_instance()
                          : submissions[static_cast<size_t>(number)];
  const auto& points = open ? application.points() : next.points();
  const absl::Time time = FromProto(open ? application.state_time() : next.return_time());
  const auto& submission = submissions[static_cast<size_t>(number - 1)];
  std::vector<Values> rows;
  for (const std::string& point : points) {
    rows.push_back(
        Values().Text("number", std::to_string(rows.size() + 1)).Text("text", point));
  }
  const int days = rules.policy.application().correction_working_days();
  const std::string reason = open ? application.reason() : next.return_reason();
  const std::string document_number = NoticeNumber(application, number);
  return documents::Print(
      kCorrectionNotice, document_number,
      Values()
          .Text("number", document_number)
          .Text("host_name", submission.facts().standing().host().display_name())
          .Text("station_name", submission.facts().form().station_name())
          .Text("submitted_on", DayOf(submission.submit_time()))
          .Text("form_title", kFormTitle)
          .Text("regulation", rules.policy.document().title_zh())
          .Text("regulation_number", rules.policy.document().number())
          .List("points", std::move(rows))
          .Flag("has_reason", !reason.empty())
          .Text("reason", reason)
          .Text("days", std::to_string(days))
          .Text("due", FormatDayZh(rules.calendar->AddWorkingDays(BeijingDay(time), days).day))
          .Text("association", rules.policy.offices().association_zh())
          .Text("date", FormatDayZh(BeijingDay(time))),
      answer);
}

absl::Status Handlers::PrintCaseFileIndex(const Context& context, const Rules& rules,
                                          const v1::Application& application,
                                          const std::vector<v1::Submission>& submissions,
                                          common::v1::PrintedDocument* answer) const {
  YZ_ASSIGN_OR_RETURN(const ReviewsView review, ViewOfReview(context, application));
  IndexRows rows;
  std::set<std::string> listed;
  const std::string& association = rules.policy.offices().association_zh();
  for (const v1::Submission& submission : submissions) {
    if (submission.has_return_time()) {
      rows.Add(NoticeNumber(application, submission.number() - 1), association, "补正告知书",
               IsoDay(submission.return_time()));
    }
    AddMaterials(rules.policy, application, submission, &listed, &rows);
  }
  if (application.state() == v1::APPLICATION_STATE_RETURNED) {
    rows.Add(NoticeNumber(application, application.submissions()), association, "补正告知书",
             IsoDay(application.state_time()));
  }
  AddReview(rules.policy, application, review.of_case, review.meeting, &rows);
  return documents::Print(
      kCaseFileIndex, Number("JNML", application),
      Values()
          .Text("station_name", application.station_name())
          .Text("host_name", application.host_name())
          .Text("level", LevelName(rules.policy, application.form().category()))
          .Text("year", std::to_string(application.form().subsidy_year()))
          .Text("years", std::to_string(rules.policy.retention().payment_records_years()))
          .List("rows", rows.Take()),
      answer);
}

}  // namespace yuezhan::application
