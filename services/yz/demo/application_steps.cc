// Host units apply, with their materials: articles 5 and 5.1.
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/pdf.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

struct Material {
  const char* code;
  const char* file_name;
};
constexpr Material kMaterials[] = {
    {"application-form", "建站资助申请表（演示）.pdf"},
    {"filing-form", "学会服务站备案登记表（演示）.pdf"},
    {"approval-reply", "建站批复（演示）.pdf"},
};

absl::StatusOr<std::string> Create(Stage& stage, const DemoStation& station) {
  application::v1::CreateApplicationRequest request;
  *request.mutable_form() = station.application;
  request.mutable_form()->set_station(stage.names[station.key].station);
  YZ_ASSIGN_OR_RETURN(const auto created, stage.Call<application::v1::Application>(
                                              stage.Host(station.key), "application",
                                              "CreateApplication", request, station.key));
  stage.names[station.key].application = created.name();
  return absl::StrCat("申请", Yuan(created.form().requested_amount()));
}

// The form that the host prints, seals and scans: the scan bears its number and digest. Nothing for
// other materials, and for a municipal filing, which is not printed.
absl::StatusOr<common::v1::PrintedDocument> Printed(Stage& stage, const DemoStation& station,
                                                    std::string_view code) {
  const Caller host = stage.Host(station.key);
  if (code == "application-form") {
    application::v1::PrintDocumentRequest request;
    request.set_name(stage.names[station.key].application);
    request.set_kind(application::v1::DOCUMENT_KIND_APPLICATION_FORM);
    return stage.Call<common::v1::PrintedDocument>(host, "application", "PrintDocument", request);
  }
  if (code == "filing-form" && station.story != Story::kMunicipal) {
    registry::v1::PrintDocumentRequest request;
    request.set_name(stage.names[station.key].station);
    request.set_kind(registry::v1::DOCUMENT_KIND_FILING_FORM);
    return stage.Call<common::v1::PrintedDocument>(host, "registry", "PrintDocument", request);
  }
  return common::v1::PrintedDocument();
}

absl::Status Upload(Stage& stage, const DemoStation& station, const Material& material) {
  const Caller host = stage.Host(station.key);
  const std::string pdf =
      SmallPdf(absl::StrCat("Demonstration: ", material.code, ", ", station.key));
  const std::string discriminator = absl::StrCat(station.key, "-", material.code);
  application::v1::UploadMaterialRequest upload;
  upload.set_parent(stage.names[station.key].application);
  upload.set_code(material.code);
  upload.set_file_name(material.file_name);
  upload.set_data(pdf);
  upload.set_sha256(ToHex(Sha256(pdf)));
  YZ_ASSIGN_OR_RETURN(const auto printed, Printed(stage, station, material.code));
  upload.set_form_number(printed.number());
  upload.set_form_digest(printed.digest());
  YZ_ASSIGN_OR_RETURN(const auto uploaded,
                      stage.Call<application::v1::Material>(host, "application", "UploadMaterial",
                                                            upload, discriminator));
  stage.names[station.key].materials[material.code] = uploaded.name();
  return absl::OkStatus();
}

absl::StatusOr<std::string> UploadAll(Stage& stage, const DemoStation& station) {
  auto& materials = stage.names[station.key].materials;
  // A form that offices wrote on since is no longer the one that was uploaded.
  if (stage.clock().Now() > stage.today) {
    application::v1::ListMaterialsRequest list;
    list.set_parent(stage.names[station.key].application);
    YZ_ASSIGN_OR_RETURN(const auto there,
                        stage.Call<application::v1::ListMaterialsResponse>(
                            stage.Host(station.key), "application", "ListMaterials", list));
    for (const application::v1::Material& known : there.materials()) {
      materials[known.code()] = known.name();
    }
  }
  for (const Material& material : kMaterials) {
    if (materials.count(material.code) > 0) continue;
    YZ_RETURN_IF_ERROR(Upload(stage, station, material));
  }
  return std::string("申请表、备案登记表、建站批复齐全");
}

absl::StatusOr<application::v1::Application> Submit(Stage& stage, const DemoStation& station) {
  application::v1::SubmitApplicationRequest request;
  request.set_name(stage.names[station.key].application);
  return stage.Call<application::v1::Application>(stage.Host(station.key), "application",
                                                  "SubmitApplication", request, station.key);
}

// Review follows the submissions.
absl::StatusOr<std::string> AwaitCases(Stage& stage) {
  const auto submitted = Awarded(stage);
  for (const DemoStation* station : submitted) {
    review::v1::ListCasesRequest list;
    list.set_application(stage.names[station->key].application);
    YZ_ASSIGN_OR_RETURN(const auto cases, stage.Await<review::v1::ListCasesResponse>(
                                              stage.Person("reviewer"), "review", "ListCases", list,
                                              [](const review::v1::ListCasesResponse& answer) {
                                                return answer.cases_size() > 0;
                                              }));
    stage.names[station->key].review_case = cases.cases(0).name();
  }
  return absl::StrCat("已立案，共", submitted.size(), "件");
}

void AddApplication(Stage& stage, const DemoStation& station, std::vector<DemoStep>* steps) {
  const std::string& name = station.form.display_name();
  const std::string& host = station.host.display_name();
  steps->push_back({"CreateApplication-" + station.key, "5.1", host,
                    absl::StrCat("填写资助申请表 ", name),
                    [&stage, &station] { return Create(stage, station); }});
  steps->push_back({"UploadMaterial-" + station.key, "5.1", host,
                    absl::StrCat("上传申报材料 ", name),
                    [&stage, &station] { return UploadAll(stage, station); }});
  steps->push_back({"SubmitApplication-" + station.key, "5", host, absl::StrCat("提交申报 ", name),
                    [&stage, &station]() -> absl::StatusOr<std::string> {
                      const auto submitted = Submit(stage, station);
                      if (!station.Awarded()) return Stage::Refusal(submitted.status());
                      YZ_RETURN_IF_ERROR(submitted.status());
                      return std::string("符合申报条件");
                    }});
}

}  // namespace

void AddApplications(Stage& stage, std::vector<DemoStep>* steps) {
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.story != Story::kTooEarly) AddApplication(stage, station, steps);
  }
  steps->push_back(
      {"CaseOpened", "5.2", "审核服务", "立案初审", [&stage] { return AwaitCases(stage); }});
}

void AddEarlyApplication(Stage& stage, std::vector<DemoStep>* steps) {
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.story == Story::kTooEarly) AddApplication(stage, station, steps);
  }
}

}  // namespace yuezhan::yz
