#ifndef YUEZHAN_SERVICES_REVIEW_HANDLERS_H_
#define YUEZHAN_SERVICES_REVIEW_HANDLERS_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/context.h"
#include "common/files/files.h"
#include "common/host/rulebook.h"
#include "common/journal/follower.h"
#include "common/journal/journal.h"
#include "common/rpc/handlers.h"
#include "common/rules/rules.h"
#include "services/review/store.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::application::v1 {
class ApplicationAdvanced;
}
namespace yuezhan::rpc {
class Channel;
class Service;
}  // namespace yuezhan::rpc

namespace yuezhan::review {

// The methods of ReviewService; what each does and when it fails is said in review.proto. One file
// per group, named below; followers.cc for what other services' journals bring, notice_period.cc
// for what time brings, methods.cc for their names.
class Handlers {
 public:
  // `registry`: tells how station and host stand today. `scanner`: looks at evidence before it is
  // kept; none: null.
  Handlers(journal::Journal& journal, const journal::Vault& vault, const Rulebook& rulebook,
           rpc::Channel& registry, const files::Scanner* scanner = nullptr)
      : journal_(journal),
        vault_(vault),
        store_(vault),
        files_(vault, scanner),
        rulebook_(rulebook),
        registry_(registry) {}

  rpc::Service Methods();
  // Submissions open cases, requests to withdraw are decided.
  journal::EventHandlers OnApplication();
  // Awards are reserved in the fund, and paid.
  journal::EventHandlers OnPayment();
  // Ends the periods that are over and counts anew those that a new calendar moves; at most once
  // each, however many replicas try. Returns how long to wait.
  absl::StatusOr<absl::Duration> TendNotices();
  // Removes uploads that nobody finished in time. Returns how long to wait.
  absl::StatusOr<absl::Duration> RemoveExpiredUploads();

  // cases.cc
  absl::Status GetCase(Context&, const v1::GetCaseRequest&, v1::Case*);
  absl::Status ListCases(Context&, const v1::ListCasesRequest&, v1::ListCasesResponse*);
  absl::Status ListQueue(Context&, const v1::ListQueueRequest&, v1::ListQueueResponse*);
  absl::Status AssignCase(Context&, const v1::AssignCaseRequest&, v1::Case*);

  // inspections.cc
  absl::Status CallInspection(Context&, const v1::CallInspectionRequest&, v1::Case*);
  absl::Status RecordDeclaration(Context&, const v1::RecordDeclarationRequest&, v1::Case*);
  absl::Status RecordInspection(Context&, const v1::RecordInspectionRequest&, v1::Case*);

  // opinions.cc
  absl::Status RecordAssessment(Context&, const v1::RecordAssessmentRequest&, v1::Case*);
  absl::Status CheckCase(const rpc::AskedList<v1::CheckCaseRequest, v1::CheckCaseResponse>&);
  absl::Status AskDepartment(Context&, const v1::AskDepartmentRequest&, v1::Case*);
  absl::Status RecordDepartmentOpinion(Context&, const v1::RecordDepartmentOpinionRequest&,
                                       v1::Case*);
  absl::Status PrepareOpinion(const rpc::AskedList<v1::PrepareOpinionRequest, v1::Case>&);
  absl::Status ApproveOpinion(const rpc::AskedList<v1::ApproveOpinionRequest, v1::Case>&);

  // meetings.cc
  absl::Status ConveneMeeting(Context&, const v1::ConveneMeetingRequest&, v1::Meeting*);
  absl::Status CloseMeeting(Context&, const v1::CloseMeetingRequest&, v1::Meeting*);
  absl::Status GetMeeting(Context&, const v1::GetMeetingRequest&, v1::Meeting*);

  // notices.cc
  absl::Status IssueNotice(Context&, const v1::IssueNoticeRequest&, v1::Notice*);
  absl::Status WithdrawNotice(Context&, const v1::WithdrawNoticeRequest&, v1::Notice*);
  absl::Status GetNotice(Context&, const v1::GetNoticeRequest&, v1::Notice*);
  absl::Status ListNotices(Context&, const v1::ListNoticesRequest&, v1::ListNoticesResponse*);

  // postings.cc
  absl::Status RecordPosting(Context&, const v1::RecordPostingRequest&, v1::Notice*);
  absl::Status RecordPostingDown(Context&, const v1::RecordPostingDownRequest&, v1::Notice*);
  absl::Status RecordPostingBack(Context&, const v1::RecordPostingBackRequest&, v1::Notice*);

  // statements.cc
  absl::Status SignNoticeResult(Context&, const v1::SignNoticeResultRequest&, v1::Notice*);

  // objections.cc
  absl::Status FileObjection(Context&, const v1::FileObjectionRequest&, v1::Objection*);
  absl::Status AdmitObjection(Context&, const v1::AdmitObjectionRequest&, v1::Objection*);
  absl::Status ReportExamination(Context&, const v1::ReportExaminationRequest&, v1::Objection*);
  absl::Status AnswerObjection(Context&, const v1::AnswerObjectionRequest&, v1::Objection*);
  absl::Status GetObjection(Context&, const v1::GetObjectionRequest&, v1::Objection*);
  absl::Status ListObjections(Context&, const v1::ListObjectionsRequest&,
                              v1::ListObjectionsResponse*);
  absl::Status ListObjectionQueue(Context&, const v1::ListObjectionQueueRequest&,
                                  v1::ListObjectionQueueResponse*);

  // delegations.cc
  absl::Status CreateDelegation(Context&, const v1::CreateDelegationRequest&, v1::Delegation*);
  absl::Status RevokeDelegation(Context&, const v1::RevokeDelegationRequest&, v1::Delegation*);
  absl::Status ListDelegations(Context&, const v1::ListDelegationsRequest&,
                               v1::ListDelegationsResponse*);

  // evidence_files.cc
  absl::Status StartUpload(Context&, const v1::StartUploadRequest&, v1::EvidenceFile*);
  absl::Status WriteChunk(Context&, const v1::WriteChunkRequest&, v1::EvidenceFile*);
  absl::Status FinishUpload(Context&, const v1::FinishUploadRequest&, v1::EvidenceFile*);
  absl::Status ReadChunk(Context&, const v1::ReadChunkRequest&, v1::ReadChunkResponse*);
  absl::Status ListFiles(Context&, const v1::ListFilesRequest&, v1::ListFilesResponse*);

  // printing.cc
  absl::Status PrintDocument(Context&, const v1::PrintDocumentRequest&,
                             common::v1::PrintedDocument*);

  // history.cc
  absl::Status GetCaseHistory(Context&, const v1::GetCaseHistoryRequest&,
                              v1::GetCaseHistoryResponse*);
  absl::Status GetCaseEvidence(Context&, const v1::GetCaseEvidenceRequest&,
                               v1::GetCaseEvidenceResponse*);

 private:
  using Change =
      absl::FunctionRef<absl::StatusOr<v1::CaseState>(journal::Unit&, const Rules&, v1::Case*)>;
  using Standings = std::map<std::string, rules::v1::StandingFacts, std::less<>>;  // by case

  // ---- what several files do (cases.cc) ----

  // The one way for a request to change a case: locked, in a state that `method` starts from;
  // `change` edits it and says which state it goes to, then Advance.
  absl::Status ChangeCase(Context& context, const google::protobuf::Message& request,
                          std::string_view name, std::string_view method, v1::Case* answer,
                          Change change);
  // The same for several calls; `change` is told which it is.
  template <typename Request>
  absl::Status ChangeCases(
      const rpc::AskedList<Request, v1::Case>& asked, std::string_view method,
      absl::FunctionRef<absl::StatusOr<v1::CaseState>(const rpc::Asked<Request, v1::Case>& each,
                                                      journal::Unit&, const Rules&, v1::Case*)>
          change);
  absl::Status ChangeOne(journal::Unit& unit, std::string_view name, std::string_view method,
                         v1::Case* answer, Change change);
  // Writes the case in its next state, where the table lets `method` lead there, and emits
  // CaseAdvanced if that is another state. `clearance` goes with CLEARED.
  absl::Status Advance(journal::Unit& unit, v1::Case* review_case, v1::CaseState to,
                       std::string_view method, std::string_view reason = "",
                       const rules::v1::PaymentFacts* clearance = nullptr);
  // Writes the case, and the unit's entry into its history.
  absl::Status Save(journal::Unit& unit, v1::Case* review_case) const;
  // A case as it is shown: with its last day, by today's calendar.
  void Show(v1::Case* review_case) const;
  // What the case is judged by at `now`: the policy in force when it was submitted.
  absl::StatusOr<Rules> RulesOf(const v1::Case& review_case, absl::Time now) const;
  // For methods that change a case and wait for one another: locks the cases of all.
  absl::Status LockAhead(const std::vector<std::string>& names);
  // The locked row, or NOT_FOUND.
  absl::StatusOr<v1::Case> LockCase(db::Session& sql, std::string_view name) const;
  absl::StatusOr<v1::Notice> LockNotice(db::Session& sql, std::string_view name) const;
  absl::StatusOr<v1::Objection> LockObjection(db::Session& sql, std::string_view name) const;
  // How station and host of these cases stand today, as registry tells: a call, so before the
  // transaction.
  absl::StatusOr<Standings> StandingsOf(const std::vector<rpc::Named>& named);
  absl::StatusOr<Standings> StandingsOf(const Context& context,
                                        const std::vector<std::string>& cases);

  // The delegation under which the caller does this act for another today, kept in the history of
  // these cases; INVALID_ARGUMENT when none is in force.
  absl::StatusOr<std::string> UseDelegation(journal::Unit& unit, Day today,
                                            const rules::v1::ActFacts& act,
                                            const std::set<std::string>& cases) const;
  // Enters the caller's act in the case (facts.h), under a delegation where `on_behalf_of` says so,
  // and keeps what it was judged by in the trail.
  absl::Status EnterActOf(journal::Unit& unit, const Rules& rules, const std::string& on_behalf_of,
                          common::v1::Act act, std::string_view what, v1::Case* review_case) const;

  // ---- meetings.cc ----

  struct Sitting;  // a meeting being closed: what it decides by, and the rows it locked
  absl::Status LockRows(db::Session& sql, Sitting* sitting) const;
  absl::Status Judge(journal::Unit& unit, const rules::v1::CaseFacts& facts, v1::MeetingItem* item,
                     v1::Case* review_case) const;
  absl::Status ResolveCase(journal::Unit& unit, Sitting* sitting, v1::MeetingItem* item);
  absl::Status PutOnAgenda(journal::Unit& unit, const Standings& standings,
                           const v1::MeetingItem& item, std::string_view meeting);
  absl::Status ResolveObjection(journal::Unit& unit, Sitting* sitting, v1::MeetingItem* item);

  // ---- notices.cc ----

  // A notice as the caller may see it, with what depends on the day.
  absl::Status Show(const Context& context, v1::Notice* notice) const;
  // What a list is judged by: one policy, that of each of its cases.
  absl::StatusOr<Rules> RulesOfList(const std::map<std::string, v1::Case>& cases,
                                    absl::Time now) const;
  // The policy of the notice: that of each of its cases.
  absl::StatusOr<const policy::v1::Policy*> PolicyOf(const v1::Notice& notice) const;
  // Writes the notice in its next state, with an entry in the history of each of its cases, and
  // emits NoticeAdvanced if that is another state or its last day moved.
  absl::Status Advance(journal::Unit& unit, v1::Notice* notice, v1::NoticeState to,
                       std::string_view method);
  // A signature stands for the awards and objections that its officer saw: any change of them
  // after the period takes both back.
  absl::Status DropStatement(journal::Unit& unit, v1::Notice* notice, std::string_view method);
  // NOTICE_ENDED to CLEARED, unless a rule of article 5.4 is against it: then the case stays, with
  // the findings.
  absl::Status Clear(journal::Unit& unit, const Rules& rules, const v1::Notice& notice,
                     v1::Case* review_case, std::string_view method);

  // ---- postings.cc ----

  // Found after the end that a site had not shown the list within the period: it is not over.
  // Awards go back into it, unless one is cleared already.
  absl::Status Reopen(journal::Unit& unit, const Rules& rules, const v1::Notice& notice);

  // ---- notice_period.cc ----

  absl::Status CheckClocks();
  absl::Status EndNotice(const RunningNotice& notice);
  absl::Status Recount(const RunningNotice& notice, const std::string& calendar_digest);

  // ---- objections.cc ----

  using Notices = std::map<std::string, v1::Notice, std::less<>>;  // by name
  // An award, and the notices that an act on its objection may touch, all locked.
  struct Award {
    v1::Case review_case;
    Notices notices;
  };
  absl::StatusOr<Award> LockAward(db::Session& sql, std::string_view case_name,
                                  std::string_view objection_notice) const;
  absl::StatusOr<Notices> LockNotices(db::Session& sql, const std::set<std::string>& names) const;
  // Judges it by the notice's policy and as its period is now, and keeps by what; whether it can
  // hold its award.
  absl::StatusOr<bool> JudgeObjection(journal::Unit& unit, const Rules& rules,
                                      const v1::Notice& notice, v1::Objection* objection) const;
  // The award is held by the objection from now on.
  absl::Status Hold(journal::Unit& unit, Award* award, v1::Objection* objection);
  // Takes the objection off the award that it holds; the last one sets the award free, back to
  // where its notice stands.
  absl::Status Release(journal::Unit& unit, const Rules& rules, std::string_view objection,
                       v1::Case* review_case, Notices* notices, std::string_view method);
  // The award is gone: its objections hold nothing any more. `settled`: already written, or "".
  absl::Status EndHolds(db::Session& sql, std::string_view settled, v1::Case* review_case) const;
  absl::Status Advance(journal::Unit& unit, v1::Objection* objection, v1::ObjectionState to,
                       std::string_view method);
  // An objection as it is shown: with the last day of its next step, by today's calendar.
  absl::Status Show(v1::Objection* objection) const;

  // ---- evidence_files.cc ----

  // Whether the caller may read, or add to, the files of a case or an objection.
  absl::Status CheckParent(db::Session& sql, const Caller& caller, std::string_view parent,
                           bool write) const;
  absl::StatusOr<files::Upload> UploadOf(db::Session& sql, const Caller& caller,
                                         std::string_view name, bool lock) const;

  // ---- printing.cc ----

  // Names of persons as their calls gave them, by subject: what the case's journal knows.
  absl::StatusOr<std::map<std::string, std::string>> NamesIn(db::Session& sql,
                                                             std::string_view case_name) const;

  // ---- followers.cc ----

  absl::Status Open(journal::Unit& unit, const application::v1::ApplicationAdvanced& event,
                    absl::Time submitted);
  absl::Status Withdraw(journal::Unit& unit, std::string_view application, bool requested);

  journal::Journal& journal_;
  const journal::Vault& vault_;
  const Store store_;
  const files::Files files_;
  const Rulebook& rulebook_;
  rpc::Channel& registry_;
};

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_HANDLERS_H_
