#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rules/contact_details.h"
#include "services/registry/handlers.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

// An officer's word that stands for what a rule cannot see: with a reason, and under his name.
absl::Status Confirm(std::string_view path, const Caller& caller,
                     common::v1::Confirmation* confirmation) {
  if (!confirmation->confirmed()) {
    confirmation->Clear();
    return absl::OkStatus();
  }
  if (confirmation->reason().empty()) {
    return errors::InvalidField(Concat({path, ".reason"}), "不得为空", "must be given");
  }
  confirmation->set_officer(caller.subject);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAccount(std::string_view path, const Caller& caller, const v1::HostUnit& unit,
                          rules::v1::AccountFacts* account) {
  if (!rules::IsAccountNumber(account->number())) {
    return errors::InvalidField(Concat({path, ".number"}), "账号应为8至32位数字",
                                "must be 8 to 32 digits");
  }
  for (const auto& [field, value] :
       {std::pair{"holder", &account->holder()}, {"bank", &account->bank()}}) {
    if (value->empty()) {
      return errors::InvalidField(Concat({path, ".", field}), "不得为空", "must be given");
    }
  }
  if (Spelling(account->holder()) == Spelling(unit.display_name())) {
    account->clear_other_holder();
    account->clear_other_holder_evidence();
    return absl::OkStatus();
  }
  // Its supporting legal entity, or another: by an officer's decision, with evidence.
  if (!account->other_holder().confirmed() || account->other_holder_evidence().empty()) {
    return errors::InvalidField(
        Concat({path, ".other_holder"}),
        "账户名称与建站单位不一致，须由工作人员确认、写明理由并附证明",
        "the holder is another than the host unit: an officer's confirmation with reason and "
        "evidence is needed");
  }
  return Confirm(Concat({path, ".other_holder"}), caller, account->mutable_other_holder());
}

absl::Status CheckHostUnit(std::string_view path, const Caller& caller, v1::HostUnit* unit) {
  // A code of the right shape whose check characters fail needs an officer's word; others are never
  // taken.
  if (!rules::IsCreditCodeShape(unit->credit_code())) {
    return errors::InvalidField(Concat({path, ".credit_code"}),
                                "统一社会信用代码应为18位数字或大写字母（不含I、O、S、V、Z）",
                                "must be 18 digits or capital letters other than I, O, S, V and Z");
  }
  return Confirm(Concat({path, ".credit_code_accepted"}), caller,
                 unit->mutable_credit_code_accepted());
}

absl::StatusOr<v1::HostUnit> Handlers::SeenHostUnit(db::Session& sql, const Caller& caller,
                                                    std::string_view name, bool lock) const {
  if (!MaySee(caller, name)) return errors::NotFound(name);
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("hostUnits/*", name));
  YZ_ASSIGN_OR_RETURN(auto unit, store_.HostUnit(sql, id, lock));
  if (!unit) return errors::NotFound(name);
  return *std::move(unit);
}

absl::Status Handlers::CreateHostUnit(Context& context, const v1::CreateHostUnitRequest& request,
                                      v1::HostUnit* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    *answer = request.host_unit();
    YZ_RETURN_IF_ERROR(CheckHostUnit("host_unit", context.caller, answer));
    YZ_RETURN_IF_ERROR(CheckAccount("host_unit.account", context.caller, *answer,
                                    answer->mutable_account()));
    answer->set_name(Name("hostUnits", NewUuid()));
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
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(*answer, SeenHostUnit(sql, context.caller, request.name(), false));
    return absl::OkStatus();
  });
}

namespace {

// Copies the fields that the mask names. A path is a field of HostUnitDetails, which all have their
// names in HostUnit.
absl::Status Merge(const v1::UpdateHostUnitRequest& request, v1::HostUnit* unit) {
  const auto* type = v1::HostUnitDetails::descriptor();
  for (int i = 0; i < request.update_mask().paths_size(); ++i) {
    const std::string& path = request.update_mask().paths(i);
    const auto* from = type->FindFieldByName(path);
    if (from == nullptr) {
      std::string known;
      for (int k = 0; k < type->field_count(); ++k) {
        absl::StrAppend(&known, k == 0 ? "" : ", ", type->field(k)->name());
      }
      return errors::InvalidField(absl::StrCat("update_mask.paths[", i, "]"),
                                  Concat({"应为以下字段之一：", known}),
                                  Concat({"must be one of ", known}));
    }
    const auto* to = v1::HostUnit::descriptor()->FindFieldByName(path);
    const v1::HostUnitDetails& details = request.details();
    const auto &read = *details.GetReflection(), &write = *unit->GetReflection();
    switch (from->cpp_type()) {
      case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
        write.SetString(unit, to, read.GetString(details, from));
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_ENUM:
        write.SetEnumValue(unit, to, read.GetEnumValue(details, from));
        break;
      default:
        write.MutableMessage(unit, to)->CopyFrom(read.GetMessage(details, from));
    }
  }
  for (const auto& [path, empty] : {std::pair{"display_name", unit->display_name().empty()},
                                    {"county", unit->county().empty()},
                                    {"kind", unit->kind() == 0}}) {
    if (empty) return errors::InvalidField(Concat({"details.", path}), "不得为空", "must be given");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Handlers::UpdateHostUnit(Context& context, const v1::UpdateHostUnitRequest& request,
                                      v1::HostUnit* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(auto host, SeenHostUnit(unit.sql(), context.caller, request.name(), true));
    if (!request.etag().empty() && request.etag() != host.etag())
      return errors::EtagMismatch(request.name());
    YZ_RETURN_IF_ERROR(Merge(request, &host));
    YZ_RETURN_IF_ERROR(CheckHostUnit("details", context.caller, &host));
    switch (store_.UpdateHostUnit(unit.sql(), &host)) {
      case Store::Updated::kConflict:
        return errors::Conflict();
      case Store::Updated::kTaken:
        return errors::AlreadyExists("details.credit_code", "");
      case Store::Updated::kDone:
        break;
    }
    v1::HostUnitChanged event;
    event.set_host_unit(host.name());
    unit.Emit(event);
    *answer = std::move(host);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ChangeAccount(Context& context, const v1::ChangeAccountRequest& request,
                                     v1::HostUnit* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(auto host, SeenHostUnit(unit.sql(), context.caller, request.name(), true));
    if (!request.etag().empty() && request.etag() != host.etag())
      return errors::EtagMismatch(request.name());
    v1::AccountChange change;
    change.set_officer(context.caller.subject);
    *change.mutable_time() = ToProto(unit.Now());
    change.set_reason(request.reason());
    *change.mutable_old_account() = host.account();
    *change.mutable_new_account() = request.account();
    YZ_RETURN_IF_ERROR(
        CheckAccount("account", context.caller, host, change.mutable_new_account()));
    *host.mutable_account() = change.new_account();
    if (store_.UpdateHostUnit(unit.sql(), &host) != Store::Updated::kDone)
      return errors::Conflict();
    store_.InsertAccountChange(unit.sql(), host, change);
    unit.EmitPrivate(change);
    v1::HostUnitChanged event;
    event.set_host_unit(host.name());
    unit.Emit(event);
    *answer = std::move(host);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListAccountChanges(Context& context,
                                          const v1::ListAccountChangesRequest& request,
                                          v1::ListAccountChangesResponse* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(SeenHostUnit(sql, context.caller, request.parent(), false).status());
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("hostUnits/*", request.parent()));
    YZ_ASSIGN_OR_RETURN(const auto changes, store_.AccountChanges(sql, id));
    answer->mutable_changes()->Assign(changes.begin(), changes.end());
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
