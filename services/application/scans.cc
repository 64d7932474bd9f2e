// Sealed scans of printed forms (article 5.1): the paper bears number and digest of the form, and an
// officer says whether both say the same.
#include <algorithm>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/policy/policy.h"
#include "common/rpc/client.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::application {

absl::Status CheckScan(const std::string& form_number, const std::string& form_digest,
                       std::string_view code, const common::v1::PrintedDocument& form) {
  if (code != kApplicationFormCode && code != kFilingFormCode) {
    return errors::InvalidField("form_digest", "该材料不是本系统打印的表格的扫描件",
                                "is given with a scan of a form that this system prints only");
  }
  if (form_number != form.number()) {
    return errors::InvalidField("form_number", "不是该表的编号", "is not the form's number");
  }
  if (form_digest == form.digest()) return absl::OkStatus();
  return errors::InvalidField("form_digest",
                              "与系统中现在的表不一致：打印盖章后内容已修改，请重新打印、盖章、扫描",
                              "the form was changed since it was printed: print, seal and scan it "
                              "again");
}

absl::StatusOr<common::v1::PrintedDocument> Handlers::PrintedFilingForm(
    const Context& context, const std::string& application) const {
  YZ_ASSIGN_OR_RETURN(const auto of, ReadVisible(context, application));
  registry::v1::PrintDocumentRequest request;
  request.set_name(of.form().station());
  request.set_kind(registry::v1::DOCUMENT_KIND_FILING_FORM);
  request.set_without_content(true);
  common::v1::PrintedDocument form;
  const absl::Status status = registry_.Call("yuezhan.registry.v1.RegistryService/PrintDocument",
                                             request, &form, rpc::CallOptions::Within(context));
  if (status.ok()) return form;
  if (absl::IsDeadlineExceeded(status) || absl::IsFailedPrecondition(status)) return status;
  return errors::Unavailable("registry");
}

absl::Status Handlers::CheckScanOfForm(const Rules& rules, const v1::Application& application,
                                       const std::vector<v1::Material>& materials) const {
  for (const v1::Material& material : materials) {
    if (material.code() != kApplicationFormCode || material.form_digest().empty()) continue;
    if (material.form_digest() == PrintedForm(rules.policy, application).digest()) continue;
    return errors::InvalidField("materials[application-form]",
                                "申请表在打印盖章后已修改，请重新打印、盖章、扫描上传",
                                "the form was changed since the one that was sealed was printed: "
                                "print, seal and upload it again");
  }
  return absl::OkStatus();
}

absl::Status Handlers::ConfirmScan(
    const rpc::AskedList<v1::ConfirmScanRequest, v1::Material>& asked) {
  std::vector<std::string> applications, files;  // ids
  for (const auto& each : asked) {
    YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("applications/*/materials/*", each.request.name()));
    if (each.request.confirmation().reason().empty()) {
      return errors::InvalidField("confirmation.reason", "不得为空", "must be given");
    }
    applications.push_back(ids[0]);
    files.push_back(ids[1]);
  }
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    db::Session& sql = units.front()->sql();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(units.front()->Now()));
    YZ_ASSIGN_OR_RETURN(const auto locked, store_.ApplicationsById(sql, applications, true));
    auto materials = MaterialsOf(sql, applications);
    for (size_t i = 0; i < asked.size(); ++i) {
      const auto& each = asked[i];
      const std::string parent = Name("applications", applications[i]);
      const auto application = locked.find(applications[i]);
      if (application == locked.end() ||
          !MaySee(each.context.caller, application->second.host_unit())) {
        return errors::NotFound(parent);
      }
      YZ_RETURN_IF_ERROR(
          ApplicationTransitions().Check(parent, application->second.state(), "ConfirmScan"));
      auto& all = materials[applications[i]];
      const auto material = std::find_if(all.begin(), all.end(), [&](const v1::Material& m) {
        return m.name() == each.request.name();
      });
      if (material == all.end()) return errors::NotFound(each.request.name());
      const auto* kind = policy::FindMaterial(rules.policy, material->code());
      if (kind == nullptr || !kind->sealed_scan()) {
        return errors::InvalidField("name", "该材料不是盖章扫描件", "must be a sealed scan");
      }
      *material->mutable_scan_agrees() = each.request.confirmation();
      material->mutable_scan_agrees()->set_officer(each.context.caller.subject);
      *each.answer = *material;
      store_.PutScan(sql, applications[i], files[i], *material);
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::application
