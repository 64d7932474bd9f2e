#ifndef YUEZHAN_SERVICES_REGISTRY_HANDLERS_H_
#define YUEZHAN_SERVICES_REGISTRY_HANDLERS_H_

#include <map>
#include <optional>
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
#include "common/rpc/handlers.h"
#include "services/registry/store.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::rpc {
class Service;
}

namespace yuezhan::registry {

class RowReader;

// The methods of RegistryService; what each does and when it fails is said in registry.proto. One
// file per group, named below.
class Handlers {
 public:
  // `scanner`: looks at evidence before it is kept; none: null.
  Handlers(journal::Journal& journal, const journal::Vault& vault, const Rulebook& rulebook,
           const files::Scanner* scanner = nullptr)
      : journal_(journal), store_(vault), files_(vault, scanner), rulebook_(rulebook) {}

  rpc::Service Methods();
  // What registry does about the events of payment: a settled payment is a subsidy of the station's
  // lineage, and from then on a report on its use is due; both until the money comes back.
  journal::EventHandlers OnPayment();
  // Timers' steps; each returns how long to wait. Failures that nobody asked to review become final;
  // uploads that expired are removed.
  absl::StatusOr<absl::Duration> FinalizeEvaluations();
  absl::StatusOr<absl::Duration> RemoveExpiredUploads();

  // host_units.cc
  absl::Status CreateHostUnit(Context&, const v1::CreateHostUnitRequest&, v1::HostUnit*);
  absl::Status GetHostUnit(Context&, const v1::GetHostUnitRequest&, v1::HostUnit*);
  absl::Status UpdateHostUnit(Context&, const v1::UpdateHostUnitRequest&, v1::HostUnit*);
  absl::Status ChangeAccount(Context&, const v1::ChangeAccountRequest&, v1::HostUnit*);
  absl::Status ListAccountChanges(Context&, const v1::ListAccountChangesRequest&,
                                  v1::ListAccountChangesResponse*);

  // search.cc
  absl::Status ListHostUnits(Context&, const v1::ListHostUnitsRequest&, v1::ListHostUnitsResponse*);
  absl::Status ListStations(Context&, const v1::ListStationsRequest&, v1::ListStationsResponse*);

  // filing.cc
  absl::Status CheckFiling(Context&, const v1::CheckFilingRequest&, v1::CheckFilingResponse*);
  absl::Status FileStation(const rpc::AskedList<v1::FileStationRequest, v1::Station>&);
  absl::Status ResubmitFiling(Context&, const v1::ResubmitFilingRequest&, v1::Station*);
  absl::Status ReturnFiling(Context&, const v1::ReturnFilingRequest&, v1::Station*);
  absl::Status RefuseFiling(Context&, const v1::RefuseFilingRequest&, v1::Station*);
  absl::Status GrantException(Context&, const v1::GrantExceptionRequest&, v1::Station*);
  absl::Status AcceptFiling(Context&, const v1::AcceptFilingRequest&, v1::Station*);
  // Before several are accepted in one transaction: their locks, in one order for all.
  absl::Status LockFilingsAhead(const std::vector<std::string>& names);

  // operation.cc
  absl::Status SuspendStation(Context&, const v1::SuspendStationRequest&, v1::Station*);
  absl::Status ResumeStation(Context&, const v1::ResumeStationRequest&, v1::Station*);
  absl::Status CloseStation(Context&, const v1::CloseStationRequest&, v1::Station*);
  absl::Status CorrectStation(Context&, const v1::CorrectStationRequest&, v1::Station*);
  absl::Status GetStationState(Context&, const v1::GetStationStateRequest&, v1::StationStateOn*);
  absl::Status ListStationChanges(Context&, const v1::ListStationChangesRequest&,
                                  v1::ListStationChangesResponse*);

  // activities.cc
  absl::Status RecordActivity(
      const rpc::AskedList<v1::RecordActivityRequest, v1::Activity>&);
  absl::Status CorrectActivity(Context&, const v1::CorrectActivityRequest&, v1::Activity*);
  absl::Status GetActivity(Context&, const v1::GetActivityRequest&, v1::Activity*);
  absl::Status ListActivities(Context&, const v1::ListActivitiesRequest&,
                              v1::ListActivitiesResponse*);
  absl::Status SumActivities(Context&, const v1::SumActivitiesRequest&, v1::SumActivitiesResponse*);

  // evidence.cc
  absl::Status StartEvidence(Context&, const v1::StartEvidenceRequest&, v1::EvidenceUpload*);
  absl::Status WriteEvidence(Context&, const v1::WriteEvidenceRequest&, v1::EvidenceUpload*);
  absl::Status GetEvidenceUpload(Context&, const v1::GetEvidenceUploadRequest&,
                                 v1::EvidenceUpload*);
  absl::Status FinishEvidence(Context&, const v1::FinishEvidenceRequest&, v1::Evidence*);
  absl::Status ReadEvidence(Context&, const v1::ReadEvidenceRequest&, v1::ReadEvidenceResponse*);
  absl::Status ListEvidence(Context&, const v1::ListEvidenceRequest&, v1::ListEvidenceResponse*);

  // evaluations.cc
  absl::Status RecordEvaluation(Context&, const v1::RecordEvaluationRequest&, v1::Evaluation*);
  absl::Status NotifyEvaluation(Context&, const v1::NotifyEvaluationRequest&, v1::Evaluation*);
  absl::Status RequestEvaluationReview(Context&, const v1::RequestEvaluationReviewRequest&,
                                       v1::Evaluation*);
  absl::Status DecideEvaluationReview(Context&, const v1::DecideEvaluationReviewRequest&,
                                      v1::Evaluation*);
  absl::Status SupersedeEvaluation(Context&, const v1::SupersedeEvaluationRequest&,
                                   v1::Evaluation*);
  absl::Status GetEvaluation(Context&, const v1::GetEvaluationRequest&, v1::Evaluation*);
  absl::Status ListEvaluations(Context&, const v1::ListEvaluationsRequest&,
                               v1::ListEvaluationsResponse*);

  // debarments.cc
  absl::Status LiftDebarment(Context&, const v1::LiftDebarmentRequest&, v1::Debarment*);
  absl::Status ListDebarments(Context&, const v1::ListDebarmentsRequest&,
                              v1::ListDebarmentsResponse*);

  // reports.cc
  absl::Status SubmitUseReport(Context&, const v1::SubmitUseReportRequest&, v1::UseReport*);
  absl::Status ReviewUseReport(Context&, const v1::ReviewUseReportRequest&, v1::UseReport*);
  absl::Status GetUseReport(Context&, const v1::GetUseReportRequest&, v1::UseReport*);
  absl::Status ListUseReports(Context&, const v1::ListUseReportsRequest&,
                              v1::ListUseReportsResponse*);

  // import.cc, import_stations.cc, import_records.cc, export.cc
  absl::Status ImportRows(Context&, const v1::ImportRowsRequest&, v1::ImportRowsResponse*);
  absl::Status ExportRows(Context&, const v1::ExportRowsRequest&, v1::ExportRowsResponse*);

  // documents.cc
  absl::Status PrintDocument(Context&, const v1::PrintDocumentRequest&,
                             common::v1::PrintedDocument*);

  // standing.cc
  absl::Status GetStation(const rpc::AskedList<v1::GetStationRequest, v1::Station>&);
  absl::Status GetStanding(
      const rpc::AskedList<v1::GetStandingRequest, rules::v1::StandingFacts>&);
  absl::Status BatchGetStandings(Context&, const v1::BatchGetStandingsRequest&,
                                 v1::BatchGetStandingsResponse*);

 private:
  // Edits a station and says of the change what the method knows (effective day, reason).
  using Change = absl::FunctionRef<absl::Status(journal::Unit&, const Rules&, v1::Station*,
                                                v1::StationChange*)>;

  // The one way to change a station: locked, seen by the caller, in a state that `method` starts
  // from; `change` edits it, then it is written with the next version and a line of its record, and
  // StationAdvanced is emitted. `to` unspecified: it stays in its state.
  absl::Status ChangeStation(Context& context, const google::protobuf::Message& request,
                             std::string_view name, std::string_view method, v1::StationState to,
                             v1::Station* answer, Change change);
  // A station as it is shown: with the last day for its answer, by today's calendar.
  absl::Status Show(v1::Station* station) const;
  // A station that the caller may see, or NOT_FOUND.
  absl::StatusOr<v1::Station> SeenStation(db::Session& sql, const Caller& caller,
                                          std::string_view name, bool lock) const;
  // Of several at once: the one with that id, or NOT_FOUND with its name.
  static absl::StatusOr<const v1::Station*> SeenOf(
      const std::map<std::string, v1::Station>& stations, const Caller& caller,
      const std::string& id, std::string_view name);
  // What others decide by, of each of the stations, whoever asks; NOT_FOUND when one is not there.
  absl::StatusOr<std::vector<rules::v1::StandingFacts>> StandingsOf(
      const std::vector<std::string>& stations, absl::Time deadline);
  absl::StatusOr<v1::HostUnit> SeenHostUnit(db::Session& sql, const Caller& caller,
                                            std::string_view name, bool lock) const;
  // The host unit that a form names, or INVALID_ARGUMENT with `path`.
  absl::StatusOr<v1::HostUnit> HostOf(db::Session& sql, const v1::FilingForm& form,
                                      std::string_view path) const;
  // The facts of a station's filing, its host's among them.
  absl::StatusOr<rules::v1::FilingFacts> FilingFactsOf(db::Session& sql,
                                                       const v1::Station& station) const;

  // Whether each is evidence of the station; INVALID_ARGUMENT with the path of the one that is not.
  absl::Status CheckEvidence(db::Session& sql, std::string_view station, std::string_view path,
                             const google::protobuf::RepeatedPtrField<std::string>& names) const;
  // The owner of evidence or an upload, "stations/{id}" or "hostUnits/{id}": that the caller may see
  // it.
  absl::Status SeeOwner(db::Session& sql, const Caller& caller, std::string_view owner,
                        bool lock) const;

  // Locked, seen by the caller, in a state that `method` starts from; `change` edits it, it is
  // graded, and its debarment entered where it is final.
  using EvaluationChange =
      absl::FunctionRef<absl::Status(journal::Unit&, const Rules&, v1::Evaluation*)>;
  absl::Status ChangeEvaluation(Context& context, const google::protobuf::Message& request,
                                std::string_view name, std::string_view method,
                                v1::Evaluation* answer, EvaluationChange change);
  // Weighs and grades by the policy, sets the state that follows, and debars where it must.
  absl::Status Weigh(journal::Unit& unit, const Rules& rules, common::v1::StationLevel level,
                     v1::Evaluation* evaluation) const;
  // The same as a decision: with its facts in the trail.
  absl::Status Grade(journal::Unit& unit, const Rules& rules, common::v1::StationLevel level,
                     v1::Evaluation* evaluation) const;
  absl::Status FinalizeEvaluation(const std::string& name);
  // False when an equal debarment is there.
  bool Debar(journal::Unit& unit, const v1::Debarment& debarment) const;
  void Lift(journal::Unit& unit, std::string_view reason, v1::Debarment* debarment) const;
  // Enters the report that the payment of a subsidy makes due.
  void ExpectUseReport(journal::Unit& unit, const Rules& rules, v1::UseReport report,
                       std::string_view payment_id) const;

  // What ImportRows does, in a transaction that its caller keeps or undoes.
  absl::Status Import(journal::Unit& unit, const v1::ImportRowsRequest& request,
                      v1::ImportRowsResponse* answer) const;
  absl::Status ImportStations(journal::Unit& unit, const Rules& rules,
                              const std::map<std::string, int, std::less<>>& columns,
                              const v1::ImportRowsRequest& request,
                              v1::ImportRowsResponse* answer) const;
  absl::Status ImportRecord(journal::Unit& unit, const Rules& rules, v1::Table table,
                            RowReader* row, v1::RowResult* result) const;
  absl::Status ImportSubsidy(journal::Unit& unit, const Rules& rules, RowReader* row,
                             v1::RowResult* result) const;
  absl::Status ImportEvaluation(journal::Unit& unit, const Rules& rules, RowReader* row,
                                v1::RowResult* result) const;
  absl::Status ImportDebarment(journal::Unit& unit, RowReader* row, v1::RowResult* result) const;
  // Those that a row names; a fault of the row when there is none.
  std::string HostUnitOfRow(db::Session& sql, RowReader* row) const;
  absl::StatusOr<std::optional<v1::Station>> StationOfRow(db::Session& sql, RowReader* row) const;

  journal::Journal& journal_;
  const Store store_;
  const files::Files files_;
  const Rulebook& rulebook_;
};

// What single calls and imports ask of a host unit and its account; `path` is where they stand in
// the request. An officer's confirmations get his name.
absl::Status CheckHostUnit(std::string_view path, const Caller& caller, v1::HostUnit* unit);
absl::Status CheckAccount(std::string_view path, const Caller& caller, const v1::HostUnit& unit,
                          rules::v1::AccountFacts* account);

// "YZ-2026-G-0008": year, level, count.
std::string FilingNumber(int64_t year, common::v1::StationLevel level, int64_t count);

// Facts as the rules read them.
rules::v1::HostFacts HostFactsOf(const v1::HostUnit& unit);
rules::v1::StationFacts StationFactsOf(const v1::Station& station);
rules::v1::FilingFacts FilingFactsOf(const v1::Station& station, const v1::HostUnit& host);

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_HANDLERS_H_
