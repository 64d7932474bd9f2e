#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "common/rules/contact_details.h"
#include "services/registry/handlers.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {

absl::Status Handlers::CreateHostUnit(Context& context, const v1::CreateHostUnitRequest& request,
                                      v1::HostUnit* answer) {
  // A code of the right shape whose check characters fail needs an officer's word; others are never
  // taken.
  if (!rules::IsCreditCodeShape(request.host_unit().credit_code())) {
    return errors::InvalidField("host_unit.credit_code",
                                "统一社会信用代码应为18位数字或大写字母（不含I、O、S、V、Z）",
                                "must be 18 digits or capital letters other than I, O, S, V and Z");
  }
  if (!rules::IsAccountNumber(request.host_unit().account().number())) {
    return errors::InvalidField("host_unit.account.number", "账号应为8至32位数字",
                                "must be 8 to 32 digits");
  }
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    *answer = request.host_unit();
    answer->set_name(Name("hostUnits", NewUuid()));
    answer->mutable_account()->clear_other_holder();
    *answer->mutable_create_time() = ToProto(unit.Now());
    std::string existing;
    if (!store_.InsertHostUnit(unit.sql(), answer, &existing)) {
      return errors::AlreadyExists("host_unit.credit_code", existing);
    }
    v1::HostUnitChanged event;
    event.set_host_unit(answer->name());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetHostUnit(Context& context, const v1::GetHostUnitRequest& request,
                                   v1::HostUnit* answer) {
  if (!MaySee(context.caller, request.name())) return errors::NotFound(request.name());
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("hostUnits/*", request.name()));
    YZ_ASSIGN_OR_RETURN(auto unit, store_.HostUnit(sql, id));
    if (!unit) return errors::NotFound(request.name());
    *answer = *std::move(unit);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListHostUnits(Context& context, const v1::ListHostUnitsRequest& request,
                                     v1::ListHostUnitsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto units, store_.HostUnits(sql, {after, size}));
    for (const auto& unit : units) {
      if (MaySee(context.caller, unit.name())) *answer->add_host_units() = unit;
    }
    if (static_cast<int>(units.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last, IdOf("hostUnits/*", units.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
