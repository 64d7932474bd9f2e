#ifndef YUEZHAN_SERVICES_REGISTRY_HANDLERS_H_
#define YUEZHAN_SERVICES_REGISTRY_HANDLERS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/base/context.h"
#include "common/host/ownership.h"
#include "common/host/rulebook.h"
#include "common/journal/follower.h"
#include "common/journal/journal.h"
#include "services/registry/store.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::rpc {
class Service;
}

namespace yuezhan::registry {

// The methods of RegistryService; what each does and when it fails is said in registry.proto. One
// file per group: host_units.cc, filing.cc, operation.cc (and activities), standing.cc,
// documents.cc.
class Handlers {
 public:
  Handlers(journal::Journal& journal, const journal::Vault& vault, const Rulebook& rulebook)
      : journal_(journal), store_(vault), rulebook_(rulebook) {}

  rpc::Service Methods();
  // What registry does about the events of payment: a settled payment is a subsidy of the station's
  // lineage.
  journal::EventHandlers OnPayment();

  // host_units.cc
  absl::Status CreateHostUnit(Context&, const v1::CreateHostUnitRequest&, v1::HostUnit*);
  absl::Status GetHostUnit(Context&, const v1::GetHostUnitRequest&, v1::HostUnit*);
  absl::Status ListHostUnits(Context&, const v1::ListHostUnitsRequest&, v1::ListHostUnitsResponse*);

  // filing.cc
  absl::Status CheckFiling(Context&, const v1::CheckFilingRequest&, v1::CheckFilingResponse*);
  absl::Status FileStation(Context&, const v1::FileStationRequest&, v1::Station*);
  absl::Status ResubmitFiling(Context&, const v1::ResubmitFilingRequest&, v1::Station*);
  absl::Status ReturnFiling(Context&, const v1::ReturnFilingRequest&, v1::Station*);
  absl::Status RefuseFiling(Context&, const v1::RefuseFilingRequest&, v1::Station*);
  absl::Status GrantException(Context&, const v1::GrantExceptionRequest&, v1::Station*);
  absl::Status AcceptFiling(Context&, const v1::AcceptFilingRequest&, v1::Station*);

  // operation.cc
  absl::Status SuspendStation(Context&, const v1::SuspendStationRequest&, v1::Station*);
  absl::Status ResumeStation(Context&, const v1::ResumeStationRequest&, v1::Station*);
  absl::Status CloseStation(Context&, const v1::CloseStationRequest&, v1::Station*);
  absl::Status RecordActivity(Context&, const v1::RecordActivityRequest&, v1::Activity*);
  absl::Status ListActivities(Context&, const v1::ListActivitiesRequest&,
                              v1::ListActivitiesResponse*);

  // documents.cc
  absl::Status PrintDocument(Context&, const v1::PrintDocumentRequest&,
                             common::v1::PrintedDocument*);

  // standing.cc
  absl::Status GetStation(Context&, const v1::GetStationRequest&, v1::Station*);
  absl::Status ListStations(Context&, const v1::ListStationsRequest&, v1::ListStationsResponse*);
  absl::Status GetStanding(Context&, const v1::GetStandingRequest&, rules::v1::StandingFacts*);

 private:
  using Change = absl::FunctionRef<absl::Status(journal::Unit&, const Rules&, v1::Station*)>;

  // The one way to change a station: locked, seen by the caller, in a state that `method` starts
  // from; `change` edits it, then it is written with the next version and StationAdvanced is
  // emitted.
  absl::Status ChangeStation(Context& context, const google::protobuf::Message& request,
                             std::string_view name, std::string_view method, v1::StationState to,
                             v1::Station* answer, Change change);
  // The host unit that a form names, or INVALID_ARGUMENT with `path`.
  absl::StatusOr<v1::HostUnit> HostOf(db::Session& sql, const v1::FilingForm& form,
                                      std::string_view path) const;
  // The facts of a station's filing, its host's among them.
  absl::StatusOr<rules::v1::FilingFacts> FilingFactsOf(db::Session& sql,
                                                       const v1::Station& station) const;

  journal::Journal& journal_;
  const Store store_;
  const Rulebook& rulebook_;
};

// Facts as the rules read them.
rules::v1::HostFacts HostFactsOf(const v1::HostUnit& unit);
rules::v1::StationFacts StationFactsOf(const v1::Station& station);

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_HANDLERS_H_
