#ifndef YUEZHAN_SERVICES_APPLICATION_HANDLERS_H_
#define YUEZHAN_SERVICES_APPLICATION_HANDLERS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/base/context.h"
#include "common/files/files.h"
#include "common/host/ownership.h"
#include "common/host/rulebook.h"
#include "common/journal/follower.h"
#include "common/journal/journal.h"
#include "common/rpc/client.h"
#include "common/rpc/handlers.h"
#include "services/application/store.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::application {

// The methods of ApplicationService; what each does and when it fails is said in
// application.proto. One file per group: forms.cc, submission.cc, materials.cc (and uploads),
// scans.cc, documents.cc, standing.cc, following.cc.
class Handlers {
 public:
  // `registry`: where station and host are asked about; `review`: the offices' words for print;
  // `scanner`: looks at materials for viruses, or null.
  Handlers(journal::Journal& journal, const journal::Vault& vault, const Rulebook& rulebook,
           rpc::Channel& registry, rpc::Channel& review, const files::Scanner* scanner = nullptr)
      : journal_(journal),
        store_(vault),
        files_(vault, scanner),
        rulebook_(rulebook),
        registry_(registry),
        review_(review) {}

  rpc::Service Methods();
  // What application does about the events of review: it shows the applicant where the case stands.
  journal::EventHandlers OnReview();
  // And of payment: a settled payment ends the application.
  journal::EventHandlers OnPayment();
  // A timer's step: removes uploads that expired. Returns how long to wait.
  absl::StatusOr<absl::Duration> RemoveExpiredUploads();

  // forms.cc
  absl::Status CreateApplication(
      const rpc::AskedList<v1::CreateApplicationRequest, v1::Application>&);
  absl::Status UpdateApplication(Context&, const v1::UpdateApplicationRequest&, v1::Application*);
  absl::Status GetApplication(Context&, const v1::GetApplicationRequest&, v1::Application*);
  absl::Status ListApplications(Context&, const v1::ListApplicationsRequest&,
                                v1::ListApplicationsResponse*);

  // submission.cc
  absl::Status CheckEligibility(
      const rpc::AskedList<v1::CheckEligibilityRequest, v1::CheckEligibilityResponse>&);
  absl::Status SubmitApplication(
      const rpc::AskedList<v1::SubmitApplicationRequest, v1::Application>&);
  absl::Status WithdrawApplication(Context&, const v1::WithdrawApplicationRequest&,
                                   v1::Application*);
  absl::Status GetSubmission(const rpc::AskedList<v1::GetSubmissionRequest, v1::Submission>&);

  // scans.cc
  absl::Status ConfirmScan(const rpc::AskedList<v1::ConfirmScanRequest, v1::Material>&);

  // documents.cc
  absl::Status PrintDocument(Context&, const v1::PrintDocumentRequest&,
                             common::v1::PrintedDocument*);

  // materials.cc
  absl::Status StartUpload(Context&, const v1::StartUploadRequest&, v1::Upload*);
  absl::Status WriteChunk(Context&, const v1::WriteChunkRequest&, v1::Upload*);
  absl::Status GetUpload(Context&, const v1::GetUploadRequest&, v1::Upload*);
  absl::Status FinishUpload(Context&, const v1::FinishUploadRequest&, v1::Material*);
  absl::Status UploadMaterial(const rpc::AskedList<v1::UploadMaterialRequest, v1::Material>&);
  absl::Status ReadChunk(Context&, const v1::ReadChunkRequest&, v1::ReadChunkResponse*);
  absl::Status ListMaterials(Context&, const v1::ListMaterialsRequest&, v1::ListMaterialsResponse*);

 private:
  using Change = absl::FunctionRef<absl::Status(journal::Unit&, const Rules&, v1::Application*)>;

  // The one way for a caller to change an application, which is locked: seen by the caller, in a
  // state that `method` starts from; `change` edits it, its state too, then it is written with the
  // next version, and ApplicationAdvanced is emitted where the state is another one.
  absl::Status Advance(const Context& context, journal::Unit& unit, const Rules& rules,
                       std::string_view method, v1::Application* application, Change change);
  // The same as a whole call.
  absl::Status ChangeApplication(Context& context, const google::protobuf::Message& request,
                                 std::string_view name, std::string_view method,
                                 v1::Application* answer, Change change);
  // The same for an event (`method` "event:…") of another service. A state that the event does not
  // lead to is passed over: the application ended, or it came late.
  absl::Status FollowEvent(journal::Unit& unit, std::string_view name, std::string_view method,
                           absl::Time time, absl::FunctionRef<bool(v1::Application*)> change);
  // For methods that change an application and wait for one another: locks the applications of all.
  absl::Status LockAhead(const std::vector<std::string>& names);
  // The application, or NOT_FOUND where there is none that the caller may see.
  absl::StatusOr<v1::Application> Visible(db::Session& sql, const Caller& caller,
                                          std::string_view name, bool lock) const;
  // The same by a read of its own, outside of any transaction.
  absl::StatusOr<v1::Application> ReadVisible(const Context& context, std::string_view name) const;
  // Station and host as registered now. NOT_FOUND when registry has no such station.
  absl::StatusOr<rules::v1::StandingFacts> StandingOf(const Context& context,
                                                      const std::string& station) const;
  // The same of several, at least one, in their order.
  absl::StatusOr<std::vector<rules::v1::StandingFacts>> StandingsOf(
      const Context& context, const std::vector<std::string>& stations) const;
  using Named = rpc::Named;
  // What is fetched before an application is judged: it as it is now, and how its station stands.
  struct Ground {
    std::string id;
    v1::Application application;
    rules::v1::StandingFacts standing;
    std::string lineage;
  };
  // Of all, each step is one statement, or one call. NOT_FOUND where a caller sees no such one.
  absl::StatusOr<std::vector<Ground>> GroundsOf(const std::vector<Named>& named,
                                                absl::Time deadline) const;
  // Submits a locked application, or says why it cannot be; adds the submission to those that are to
  // be written, and their files to be kept.
  absl::Status Submit(journal::Unit& unit, const Rules& rules, const Ground& ground,
                      const std::vector<v1::Material>& materials,
                      const v1::SubmitApplicationRequest& request, v1::Application* application,
                      std::vector<v1::Submission>* submissions);
  // What the rules say of the application now: facts, findings and policy. `live` is the id of the
  // live application of its lineage, or "".
  v1::Submission Judge(const Rules& rules, const v1::Application& application,
                       const std::vector<v1::Material>& materials,
                       const rules::v1::StandingFacts& standing, std::string_view live) const;
  // What review knows of an application: empty where no case was opened.
  struct ReviewsView {
    review::v1::Case of_case;
    review::v1::Meeting meeting;  // that resolved it, or is to
  };
  absl::StatusOr<ReviewsView> ViewOfReview(const Context& context,
                                           const v1::Application& application) const;
  // The documents; `number`: of which submission, 0: as it stands now.
  absl::Status PrintForm(const Context& context, const Rules& rules,
                         const v1::Application& application,
                         const std::vector<v1::Submission>& submissions, int number,
                         common::v1::PrintedDocument* answer) const;
  absl::Status PrintCorrectionNotice(const Rules& rules, const v1::Application& application,
                                     const std::vector<v1::Submission>& submissions, int number,
                                     common::v1::PrintedDocument* answer) const;
  absl::Status PrintCaseFileIndex(const Context& context, const Rules& rules,
                                  const v1::Application& application,
                                  const std::vector<v1::Submission>& submissions,
                                  common::v1::PrintedDocument* answer) const;
  // Annex 2 of the application's station as registry prints it today.
  absl::StatusOr<common::v1::PrintedDocument> PrintedFilingForm(
      const Context& context, const std::string& application) const;
  // While it is in public notice the notice's last day is what is waited for: asks review, and does
  // without it where it does not answer at once.
  void AddNoticesEnd(const Context& context, v1::Application* application) const;
  // INVALID_ARGUMENT when the sealed application form is not the one that is submitted.
  absl::Status CheckScanOfForm(const Rules& rules, const v1::Application& application,
                               const std::vector<v1::Material>& materials) const;
  // The current materials with the officers' words on them.
  std::vector<v1::Material> Materials(db::Session& sql, std::string_view id) const;
  // Of several applications, at least one: id → materials.
  std::map<std::string, std::vector<v1::Material>> MaterialsOf(
      db::Session& sql, const std::vector<std::string>& ids) const;
  // What is said on a sealed scan of a form of ours: its number and digest.
  struct SealOnScan {
    const std::string& form_number;
    const std::string& form_digest;
  };
  // Makes a finished file a material of the locked application. `filing_form`: as printed now,
  // where it is a scan of it.
  absl::Status TakeIn(journal::Unit& unit, const Rules& rules, const v1::Application& application,
                      const files::File& file, const SealOnScan& seal,
                      const common::v1::PrintedDocument& filing_form, v1::Material* answer);
  // An unfinished upload of the application; NOT_FOUND with `name`, also when it expired.
  absl::StatusOr<files::Upload> UploadOf(db::Session& sql, std::string_view id,
                                         std::string_view upload, std::string_view name,
                                         bool lock) const;
  // A finished file of the application, replaced ones too; NOT_FOUND with `name`.
  absl::StatusOr<files::File> FileOf(db::Session& sql, std::string_view id, std::string_view file,
                                     std::string_view name) const;

  journal::Journal& journal_;
  const Store store_;
  const files::Files files_;
  const Rulebook& rulebook_;
  rpc::Channel& registry_;
  rpc::Channel& review_;
};

// Codes of the materials that are sealed scans of forms that this system prints.
inline constexpr std::string_view kApplicationFormCode = "application-form";
inline constexpr std::string_view kFilingFormCode = "filing-form";

// The application is in its state since `time`.
void EnterState(absl::Time time, v1::Application* application);
// Fills in what comes next, whose step it is, and by when, by the state.
void AddNextStep(const Rules& rules, v1::Application* application);
// The form as the rules read it: what Annex 1 prints from the register is the register's of now.
rules::v1::ApplicationFormFacts FormFactsOf(const v1::Application& application,
                                            const rules::v1::AccountFacts& account);
// Number and digest of Annex 1 as the host would print it now.
common::v1::PrintedDocument PrintedForm(const policy::v1::Policy& policy,
                                        const v1::Application& application);
// INVALID_ARGUMENT when number and digest on a scan are not those of the form as it stands now.
absl::Status CheckScan(const std::string& form_number, const std::string& form_digest,
                       std::string_view code, const common::v1::PrintedDocument& form);
// Station and host as registered: names and account.
void TakeOver(const rules::v1::StandingFacts& standing, v1::Application* application);

}  // namespace yuezhan::application

#endif  // YUEZHAN_SERVICES_APPLICATION_HANDLERS_H_
