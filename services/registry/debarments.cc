#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "services/registry/handlers.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {

bool Handlers::Debar(journal::Unit& unit, const v1::Debarment& debarment) const {
  if (!store_.InsertDebarment(unit.sql(), debarment)) return false;
  v1::DebarmentChanged event;
  event.set_debarment(debarment.name());
  unit.Emit(event);
  return true;
}

void Handlers::Lift(journal::Unit& unit, std::string_view reason, v1::Debarment* debarment) const {
  *debarment->mutable_lifted_on() = DayToProto(BeijingDay(unit.Now()));
  debarment->set_lift_reason(std::string(reason));
  debarment->set_lifted_by(unit.context().caller.subject);
  store_.UpdateDebarment(unit.sql(), *debarment);
  v1::DebarmentChanged event;
  event.set_debarment(debarment->name());
  event.set_lifted(true);
  unit.Emit(event);
}

absl::Status Handlers::LiftDebarment(Context& context, const v1::LiftDebarmentRequest& request,
                                     v1::Debarment* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("hostUnits/*/debarments/*", request.name()));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    // The host unit first, as where one is entered.
    const auto host =
        SeenHostUnit(unit.sql(), context.caller, Name("hostUnits", ids[0]), true);
    auto debarment = store_.Debarment(unit.sql(), ids[0], ids[1], true);
    if (!host.ok() || !debarment) return errors::NotFound(request.name());
    if (debarment->has_lifted_on()) {
      return errors::StateForbids(request.name(), "LIFTED", {"IN_FORCE"}, "");
    }
    Lift(unit, request.reason(), &*debarment);
    *answer = *debarment;
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListDebarments(Context& context, const v1::ListDebarmentsRequest& request,
                                      v1::ListDebarmentsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  std::string host = request.parent();
  if (host.empty() && !SeesAllHosts(context.caller)) host = context.caller.host_unit;
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    std::string id;
    if (!host.empty()) {
      YZ_RETURN_IF_ERROR(SeenHostUnit(sql, context.caller, host, false).status());
      YZ_ASSIGN_OR_RETURN(id, IdOf("hostUnits/*", host));
    } else if (!SeesAllHosts(context.caller)) {
      return absl::OkStatus();
    }
    auto found = store_.Debarments(sql, id, {after, size});
    answer->mutable_debarments()->Swap(&found.rows);
    if (answer->debarments_size() == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, found.last_key));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
